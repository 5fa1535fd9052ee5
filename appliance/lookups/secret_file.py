"""A secret in a file of its own, which no configuration shows."""

from __future__ import annotations

from pathlib import Path

from appliance.lookups.lookup_client import ServerFailed


def first_line(path: str) -> str:
    """The secret in a file. Raises ServerFailed."""
    try:
        secret = Path(path).read_text("ascii").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise ServerFailed(f"the secret {path} cannot be read: {type(fault).__name__}") from None
    if not secret or not secret.isprintable():
        # RFC 4513 5.1.2: a bind with an empty password proves nothing, and some servers let it pass.
        raise ServerFailed(f"the first line of {path} is no secret")
    return secret
