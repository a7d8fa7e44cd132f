"""Everything that is proved about the bot and its contracts."""
