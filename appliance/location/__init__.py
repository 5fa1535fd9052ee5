"""Floor 4: address-of-record to bindings, and the registrar's rules (RFC 3261 10.3)."""
