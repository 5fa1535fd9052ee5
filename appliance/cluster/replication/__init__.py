"""The replicator: what a node tells the other nodes of its registrations and calls, by links of its own."""
