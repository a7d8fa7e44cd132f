"""Evenkeel: keeps a DeFi portfolio inside volatility-adjusted bands."""
