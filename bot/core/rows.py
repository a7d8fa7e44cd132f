"""What the journal's rows carry beyond the nouns: its chain, intents, attempts, skips, approvals and notes."""

from dataclasses import dataclass

from bot.core.types import Plan


@dataclass(frozen=True, slots=True)
class Origin:
    """The chain that a journal was begun on: chains with one id differ in their blocks."""

    chain_id: int
    number: int  # of a block a few below the newest at that time
    hash: str  # and its hash


@dataclass(frozen=True, slots=True)
class Intent:
    """One signed transaction, on disk before any node hears of it. One intent keeps one nonce for life."""

    plan: Plan
    sender: str  # the keeper whose nonce it is
    to: str  # the vault
    data: str  # calldata, 0x hex
    nonce: int
    raw: str  # the signed bytes, 0x hex: a rebroadcast sends exactly these
    tx: str  # their hash


@dataclass(frozen=True, slots=True)
class Attempt:
    """The signed bytes of an intent are about to be offered to a node."""

    intent: int  # sequence number of the intent row
    tx: str


@dataclass(frozen=True, slots=True)
class Skip:
    """A cycle that could not be finished: which error, in which words."""

    error: str  # class of the error
    said: str


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's answer to a proposal that asked for one."""

    cycle: int  # of the proposal
    by: str
    granted: bool
    said: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence for people; nothing is decided from it."""

    said: str
