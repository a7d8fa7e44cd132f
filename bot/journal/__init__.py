"""The append-only truth: what was seen, meant, sent and done, each row sealed by the hash of the one before."""

from bot.journal.sql import SqlJournal

__all__ = ["SqlJournal"]
