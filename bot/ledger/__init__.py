"""Folds over the past: memory, and the profit and loss of positions. Pure."""
