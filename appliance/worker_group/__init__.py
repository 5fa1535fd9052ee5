"""What the workers of a node have in common: who owns a slot, who holds a connection, what is passed to a sibling."""
