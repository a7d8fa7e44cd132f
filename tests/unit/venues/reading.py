"""Runs a reading against answers given by hand."""

from typing import Any

from bot.chain.multicall import Call, Reading


def read(reading: Reading[Any], *rounds: list[Any]) -> tuple[Any, list[list[Call]]]:
    """What it read, and what it asked in each round."""
    asked = [next(reading)]
    for answers in rounds:
        try:
            asked.append(reading.send(answers))
        except StopIteration as finished:
            return finished.value, asked
    raise AssertionError(f"expected {len(rounds)} rounds to suffice, found another: {asked[-1]}")
