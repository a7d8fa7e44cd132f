"""Work in forked children: each has all that the parent has loaded, and whatever it breaks dies with it."""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")
FORK = multiprocessing.get_context("fork")


class TimeLimitError(Exception):
    """A child took too long."""


def forked(
    tasks: Iterable[Task], work: Callable[[Task], Result], jobs: int, limit_s: float
) -> Iterator[tuple[Task, Result | Exception, float]]:
    """Each task with what came of it, or the error it ended with, and its seconds; as they end, `jobs` at a time."""
    waiting = iter(tasks)
    running: dict[Connection, tuple[Task, multiprocessing.process.BaseProcess, float]] = {}
    while True:
        while len(running) < jobs and (task := next(waiting, None)) is not None:
            ours, theirs = FORK.Pipe(duplex=False)
            child = FORK.Process(target=_child, args=(work, task, theirs))
            child.start()
            theirs.close()
            running[ours] = task, child, time.monotonic()
        if not running:
            return
        ended = [pipe for pipe in wait(list(running), timeout=1) if isinstance(pipe, Connection)]
        for pipe, (task, child, start) in list(running.items()):
            took = time.monotonic() - start
            if pipe in ended or took > limit_s:
                del running[pipe]
                yield task, _result(pipe, child, pipe in ended, limit_s), took


def _result(pipe: Connection, child: multiprocessing.process.BaseProcess, ended: bool, limit_s: float) -> object:
    try:
        return pipe.recv() if ended else TimeLimitError(f"not done after {limit_s:.0f} s")
    except EOFError:
        return ChildProcessError("ended without a word")
    finally:
        if not ended:
            child.kill()
        child.join()
        pipe.close()


def _child(work: Callable[[Task], Result], task: Task, pipe: Connection) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        result: object = work(task)
    except Exception as error:  # noqa: BLE001 - the parent decides
        result = error
    pipe.send(result)
