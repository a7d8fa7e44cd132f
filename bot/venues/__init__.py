"""Protocols we hold money in: what to ask of them, how to read the answers and how to word what we want."""
