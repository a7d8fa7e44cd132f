"""When: one cycle at a time on a schedule, retried while the chain fails, stopped gracefully on SIGTERM and SIGINT."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent  # type: ignore[import-untyped]
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped]
from apscheduler.triggers.interval import IntervalTrigger  # type: ignore[import-untyped]

from bot.core.errors import Broken, ChainError, ConfigError, EvenkeelError

GRACE_S: Final = 8.0  # after a signal a cycle may take so long to finish; what it leaves open the journal knows
UNWIND_S: Final = 1.5  # then it is cancelled, and has so long to close what it opened
FIRST_RETRY_S: Final = 1.0
LAST_RETRY_S: Final = 60.0
WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")  # as crontab counts them

log = structlog.get_logger("evenkeel.daemon")


def crontab(line: str) -> CronTrigger:
    """A five-field crontab line, in UTC; Sunday is 0 or 7. ValueError when it is none."""
    *fields, weekdays = line.split()
    # The scheduler counts weekdays from Monday: https://apscheduler.readthedocs.io/en/3.x/modules/triggers/cron.html
    return CronTrigger.from_crontab(" ".join((*fields, _weekdays(weekdays))), timezone=UTC)


def _weekdays(field: str) -> str:
    """The fifth field with names for numbers, every day by itself, for the scheduler's week ends elsewhere."""
    found = []
    for part in field.lower().split(","):
        days, _, step = (f"0-6{part[1:]}" if part.startswith("*/") else part).partition("/")
        first, _, last = days.partition("-")
        if first.isdecimal() and (last or "0").isdecimal() and (step or "1").isdecimal() and int(step or 1):
            end = int(last) if last else 6 if step else int(first)
            if not int(first) <= end <= 7:
                raise ValueError(f"weekdays run from 0 to 7, found {part}")
            found += [WEEKDAYS[day % 7] for day in range(int(first), end + 1, int(step or 1))]
        else:
            found.append(part)
    return ",".join(found)


def every(seconds: int) -> IntervalTrigger:
    """Once in so many seconds; the daemon starts the first cycle at once."""
    return IntervalTrigger(seconds=seconds, timezone=UTC)


class Daemon:
    """Runs `turn` when `trigger` says so, never twice at once; `record` writes down a turn that failed."""

    def __init__(
        self,
        turn: Callable[[], Awaitable[object]],
        record: Callable[[Exception], Awaitable[object]],
        trigger: CronTrigger | IntervalTrigger,
        grace_s: float = GRACE_S,
        first_retry_s: float = FIRST_RETRY_S,
    ) -> None:
        self._turn = turn
        self._record = record
        self._trigger = trigger
        self._grace_s = grace_s
        self._first_retry_s = first_retry_s
        self._busy = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._fatal: Exception | None = None

    async def run(self) -> None:
        """Until SIGTERM, SIGINT or `stop()`. Raises the error that no later cycle can mend."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        scheduler = self._scheduler()
        scheduler.start()
        log.info("started", schedule=str(self._trigger))
        try:
            await self._stopping.wait()
        finally:
            await self._halt(scheduler)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
        if self._fatal is not None:
            raise self._fatal

    def stop(self) -> None:
        """Ask for a graceful end; safe to call again."""
        if not self._stopping.is_set():
            log.info("stopping", cycle_under_way=self._busy.locked())
            self._stopping.set()

    def _scheduler(self) -> AsyncIOScheduler:
        # The defaults drop a start that is a second late, silently.
        defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=defaults)
        scheduler.add_listener(_alarm, EVENT_JOB_MISSED | EVENT_JOB_ERROR)
        now = datetime.now(UTC)
        at_once = isinstance(self._trigger, IntervalTrigger)
        first = now if at_once else self._trigger.get_next_fire_time(None, now)
        scheduler.add_job(self._cycle, self._trigger, id="cycle", next_run_time=first)
        return scheduler

    async def _halt(self, scheduler: AsyncIOScheduler) -> None:
        """Start nothing more, let the cycle under way finish, and cancel it when it does not."""
        scheduler.pause()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._busy.acquire(), self._grace_s)
            self._busy.release()
        scheduler.shutdown(wait=False)  # runs in the loop's next step, and cancels what still runs
        await asyncio.sleep(0)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._busy.acquire(), UNWIND_S)
        log.info("stopped")

    async def _cycle(self) -> None:
        """One turn; again, with growing pauses, while the chain fails."""
        async with self._busy:
            pause = self._first_retry_s
            while not self._stopping.is_set() and isinstance(await self._attempt(), ChainError):
                log.warning("trying again", wait_s=pause)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)
                pause = min(2 * pause, LAST_RETRY_S)

    async def _attempt(self) -> Exception | None:
        try:
            await self._turn()
        except Exception as error:  # the one broad except: a cycle may fail, the daemon goes on
            known = isinstance(error, EvenkeelError)
            log.error("cycle failed", error=type(error).__name__, said=str(error), exc_info=not known)
            if isinstance(error, Broken | ConfigError):  # no later cycle can be better
                self._fatal = error
                self.stop()
            await self._record(error)
            return error
        return None


def _alarm(event: JobExecutionEvent) -> None:
    """What the scheduler itself could not do must not go unseen."""
    error = event.exception
    if event.code == EVENT_JOB_MISSED:
        log.error("a start was missed", due=str(event.scheduled_run_time))
    elif not isinstance(error, asyncio.CancelledError):
        log.error("cycle not recorded", error=type(error).__name__, said=str(error))
