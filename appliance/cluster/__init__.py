"""Floor 9: the supervisor process; it knows nothing of SIP."""
