"""How to act: from wishes to one ordered bundle with floors. Pure."""
