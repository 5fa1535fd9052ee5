"""Floor 2: the rules of RFC 3261 18, flows and framing; no sockets."""
