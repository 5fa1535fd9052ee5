"""Floor 4: slots and their owners, replication, and what travels between processes."""
