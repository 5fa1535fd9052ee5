"""One decision of the proxy in each file."""
