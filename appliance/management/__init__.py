"""Floor 9: what operators reach: status, subscribers, configuration checks."""
