"""What the owner wants: the rules, and the estimates they are measured with. Pure."""
