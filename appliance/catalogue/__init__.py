"""Floor 0: every setting, counter and alarm, declared once."""
