"""Mutation testing: the vault with one small mistake at a time, and whether a test notices.

python -m tests.contracts.mutation [--file Vault.vy] [--sample N] [--jobs 2]
"""
