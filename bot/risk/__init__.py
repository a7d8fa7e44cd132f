"""What must not happen. Pure."""
