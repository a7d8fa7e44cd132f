"""The whole loop on a chain of its own: a vault, a market that moves, the real daemon's cycle, and a report."""
