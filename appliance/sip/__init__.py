"""Floor 1: SIP syntax (RFC 3261 7, 19, 20, 25) and digest arithmetic (RFC 7616)."""
