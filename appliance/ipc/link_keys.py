"""Keys for links between nodes: CurveZMQ, of which libzmq makes the pairs."""

from __future__ import annotations

import zmq


def new_link_keys() -> tuple[str, str]:
    """A public and a secret key, 40 characters each (Z85)."""
    public, secret = zmq.curve_keypair()
    return public.decode("ascii"), secret.decode("ascii")
