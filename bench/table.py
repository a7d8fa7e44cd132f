"""One way to print figures: a table for people, JSON for machines."""

import argparse
import json
import time
from collections.abc import Callable


def per_call(work: Callable[[], object], seconds: float = 1.0) -> float:
    """Median seconds of one call, over runs filling about `seconds`."""
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def show(title: str, rows: list[dict[str, object]], as_json: bool) -> None:
    """Print rows that share their keys."""
    if as_json:
        print(json.dumps({"title": title, "rows": rows}))
        return
    columns = list(rows[0])
    widths = [max(len(c), *(len(str(r[c])) for r in rows)) for c in columns]
    print(title)
    for cells in (columns, ["-" * w for w in widths], *([str(r[c]) for c in columns] for r in rows)):
        print("  " + "  ".join(str(cell).ljust(width) for cell, width in zip(cells, widths, strict=True)))


def wants_json() -> bool:
    """Whether --json was given; any other argument is an error."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    return bool(parser.parse_args().json)
