"""The stages of responses, one decision each (RFC 3261 16.7)."""
