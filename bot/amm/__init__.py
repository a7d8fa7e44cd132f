"""Pool mathematics: pure integers, exact to the wei, one file per curve."""
