"""What tokens are worth now (feeds) and were worth before (files, and what was observed)."""
