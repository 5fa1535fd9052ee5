"""Floor 10: the operator's shell. It talks only to the control socket; commands and settings are the catalogue's."""
