"""The daemon with a turn of the test's own: what it repeats, what it survives, and how it stops."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from bot.core.errors import Broken, ChainError, ConfigError, DataError, Refused
from bot.daemon import Daemon, crontab, every

Turn = Callable[[], Awaitable[object]]


class Written:
    """What the daemon asked to be written down."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []

    async def __call__(self, error: Exception) -> None:
        self.errors.append(error)


def turns(*results: Exception | None) -> tuple[Turn, list[float]]:
    """A turn that ends as told, one after the other, and then well; and the list of its starts."""
    starts: list[float] = []

    async def turn() -> None:
        starts.append(time.monotonic())
        result = results[len(starts) - 1] if len(starts) <= len(results) else None
        if result is not None:
            raise result

    return turn, starts


@asynccontextmanager
async def running(daemon: Daemon) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(daemon.run())
    await asyncio.sleep(0.05)
    try:
        yield task
    finally:
        daemon.stop()
        await asyncio.wait([task])


async def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  the daemon sets no event of ours
            await asyncio.sleep(0.01)


async def test_run__every_second__starts_at_once_and_repeats() -> None:
    turn, starts = turns()
    began = time.monotonic()
    async with running(Daemon(turn, Written(), every(1))):
        await until(lambda: len(starts) == 2)
    assert starts[0] - began < 0.5
    assert 0.5 < starts[1] - starts[0] < 1.5


@pytest.mark.parametrize("error", [DataError("stale"), Refused("no"), ValueError("a defect")])
async def test_run__cycle_fails__is_written_down_and_goes_on(error: Exception) -> None:
    turn, starts = turns(error)
    written = Written()
    async with running(Daemon(turn, written, every(1))) as task:
        await until(lambda: len(starts) == 2)
        assert not task.done()
    assert written.errors == [error]


@pytest.mark.parametrize("error", [Broken("the journal is broken"), ConfigError("wrong chain")])
async def test_run__nothing_can_mend_it__stops_and_raises(error: Exception) -> None:
    turn, starts = turns(error)
    written = Written()
    with pytest.raises(type(error), match=str(error)):
        await asyncio.wait_for(Daemon(turn, written, every(1)).run(), 5)
    assert written.errors == [error]
    assert len(starts) == 1


async def test_run__node_fails__tries_again_with_growing_pauses_before_the_next_start() -> None:
    turn, starts = turns(*[ChainError("unreachable")] * 3)
    written = Written()
    async with running(Daemon(turn, written, every(3_600), first_retry_s=0.1)):
        await until(lambda: len(starts) == 4)
        await asyncio.sleep(0.2)
    assert len(starts) == 4
    assert len(written.errors) == 3
    pauses = [later - earlier for earlier, later in pairwise(starts)]
    for pause, least in zip(pauses, (0.1, 0.2, 0.4), strict=True):
        assert least <= pause < least + 0.2


async def test_run__slow_cycle__never_runs_twice_at_once() -> None:
    running_now, most = 0, 0

    async def slow() -> None:
        nonlocal running_now, most
        running_now += 1
        most = max(most, running_now)
        await asyncio.sleep(1.3)
        running_now -= 1

    async with running(Daemon(slow, Written(), every(1))):
        await asyncio.sleep(2.5)
    assert most == 1


async def test_run__loop_blocked_past_a_start__does_not_drop_it() -> None:
    turn, starts = turns()
    async with running(Daemon(turn, Written(), every(1))):
        await until(lambda: len(starts) == 1)
        time.sleep(2.6)  # noqa: ASYNC251  the default grace of one second would drop both starts
        await until(lambda: len(starts) == 2, 0.5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_run__signal_in_the_middle_of_a_cycle__lets_it_finish(number: signal.Signals) -> None:
    finished = False

    async def cycle() -> None:
        nonlocal finished
        await asyncio.sleep(0.5)
        finished = True

    async with running(Daemon(cycle, Written(), every(3_600))) as task:
        os.kill(os.getpid(), number)
        await asyncio.wait_for(task, 2)
    assert finished


async def test_run__signal_while_a_cycle_hangs__cancels_it_in_time_and_unwinds() -> None:
    unwound = False

    async def hang() -> None:
        nonlocal unwound
        try:
            await asyncio.sleep(3_600)
        finally:
            unwound = True

    written = Written()
    async with running(Daemon(hang, written, every(3_600), grace_s=0.3)) as task:
        began = time.monotonic()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(task, 5)
    assert unwound
    assert 0.3 <= time.monotonic() - began < 1.0
    assert written.errors == []


async def test_run__cycle_that_will_not_be_cancelled__ends_within_ten_seconds_all_the_same() -> None:
    from bot.daemon import GRACE_S, UNWIND_S

    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                continue

    daemon = Daemon(stubborn, Written(), every(3_600), grace_s=0.1)
    try:
        async with running(daemon) as task:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(task, UNWIND_S + 0.5)
    finally:
        release.set()
        await asyncio.sleep(0.1)
    assert GRACE_S + UNWIND_S < 10


async def test_run__signal_between_cycles__ends_at_once_and_gives_the_signals_back() -> None:
    turn, starts = turns()
    before = signal.getsignal(signal.SIGTERM)
    async with running(Daemon(turn, Written(), every(3_600))) as task:
        await until(lambda: len(starts) == 1)
        began = time.monotonic()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(task, 1)
    assert time.monotonic() - began < 0.2
    assert signal.getsignal(signal.SIGTERM) == before


async def test_run__signal_while_waiting_for_the_node__does_not_wait_out_the_pause() -> None:
    turn, starts = turns(*[ChainError("unreachable")] * 9)
    async with running(Daemon(turn, Written(), every(3_600), first_retry_s=60)) as task:
        await until(lambda: len(starts) == 1)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(task, 1)
    assert len(starts) == 1


async def test_run__failure_cannot_be_written_down__is_said_and_the_next_start_comes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    turn, starts = turns(DataError("stale"))

    async def full(_: Exception) -> None:
        raise OSError("no space left on device")

    async with running(Daemon(turn, full, every(1))) as task:
        await until(lambda: len(starts) == 2)
        assert not task.done()
    assert "no space left on device" in capsys.readouterr().out


async def test_run__crontab__waits_for_its_time() -> None:
    turn, starts = turns()
    async with running(Daemon(turn, Written(), crontab("0 0 29 2 *"))):
        await asyncio.sleep(0.3)
    assert starts == []


@pytest.mark.parametrize("line", ["*/5 * * * *", "0 12 * * mon-fri"])
def test_crontab__five_fields__is_in_utc(line: str) -> None:
    assert str(crontab(line).timezone) == "UTC"


@pytest.mark.parametrize("line", ["", "* * * *", "61 * * * *", "noon"])
def test_crontab__not_a_crontab__is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the scheduler's own words
        crontab(line)


@pytest.mark.parametrize(
    ("weekdays", "expected"),
    [
        ("0", {"Sun"}),
        ("7", {"Sun"}),
        ("sun", {"Sun"}),
        ("1-5", {"Mon", "Tue", "Wed", "Thu", "Fri"}),
        ("mon-fri", {"Mon", "Tue", "Wed", "Thu", "Fri"}),
        ("5-7", {"Fri", "Sat", "Sun"}),
        ("*/2", {"Sun", "Tue", "Thu", "Sat"}),
        ("1,3", {"Mon", "Wed"}),
    ],
)
def test_crontab__weekdays__counted_from_sunday_as_crontab_does(weekdays: str, expected: set[str]) -> None:
    trigger = crontab(f"0 12 * * {weekdays}")
    week = [datetime(2026, 11, day, tzinfo=UTC) for day in range(16, 23)]
    fires = [trigger.get_next_fire_time(None, day) for day in week]
    assert {day.strftime("%a") for day, fire in zip(week, fires, strict=True) if fire.date() == day.date()} == expected
