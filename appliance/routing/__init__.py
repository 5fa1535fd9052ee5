"""Floor 5: from a request to its target set and next hops."""
