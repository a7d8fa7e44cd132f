"""What the gas bench stands on: a bare holder (the floor), feeds behind a proxy, and the scene around them."""
