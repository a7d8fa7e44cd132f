"""Acting on the chain: simulate, sign, journal, send, wait, reconcile."""
