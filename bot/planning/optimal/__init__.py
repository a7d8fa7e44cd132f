"""The best net trades over many pools at once, with a certificate, and the exact swaps that carry them out."""
