"""Floor 6: the proxy of RFC 3261 16: contexts, best response, forwarding, roles and their stages."""
