"""Every error we raise on purpose.

EvenkeelError
  + UsageError       what was typed on the command line makes no sense                        exit 2
  + ConfigError      the owner must fix a file or a setting; raised before anything starts   exit 3
  + DataError        an input is missing, stale or absurd; this cycle is skipped             exit 4
  |   + StaleData      an input is older than the policy allows
  + Refused          a rule or a person said no; recorded, told, never retried by itself     exit 6
  + ChainError       the node or the network failed; retried with backoff                    exit 5
  |   + Reverted       the simulation or transaction reverted; carries the reason
  + Broken           an invariant of ours does not hold; the daemon stops                    exit 1

A message says what was expected, what was found, and what to do.
"""


class EvenkeelError(Exception):
    """Base of every error raised on purpose; `exit_code` is what the command line returns."""

    exit_code = 1


class UsageError(EvenkeelError):
    """What was typed on the command line makes no sense."""

    exit_code = 2


class ConfigError(EvenkeelError):
    """The owner must fix a file or a setting."""

    exit_code = 3


class DataError(EvenkeelError):
    """An input is missing, stale or absurd."""

    exit_code = 4


class StaleData(DataError):
    """An input is older than the policy allows."""


class Refused(EvenkeelError):
    """A rule or a person said no."""

    exit_code = 6


class ChainError(EvenkeelError):
    """The node or the network failed."""

    exit_code = 5


class Reverted(ChainError):
    """The simulation or transaction reverted; `reason` is the contract's own words."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"reverted: {reason}")
        self.reason = reason


class Broken(EvenkeelError):
    """An invariant of ours does not hold."""
