"""Floor 3: the four machines of RFC 3261 17 with RFC 6026, their timers and their table."""
