"""The fence: nftables rules that drop what comes from, or goes to, a virtual address without an open lease.

Closed by default: the rules name all virtual addresses, and stay when the process that renews the leases is dead.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from ipaddress import ip_interface
from typing import Final

TABLE: Final = "signalbox_fence"
INET_SETS: Final = {4: "leases4", 6: "leases6"}
ARP_SET: Final = "leases4"
TICKET_SET: Final = "tickets"
NFT_MAX_S: Final = 10

_RULES: Final = """
table inet {table} {{}}
delete table inet {table}
table arp {table} {{}}
delete table arp {table}
table inet {table} {{
  set virtual4 {{ type ipv4_addr; {virtual4} }}
  set virtual6 {{ type ipv6_addr; {virtual6} }}
  set leases4 {{ type ipv4_addr; flags timeout; }}
  set leases6 {{ type ipv6_addr; flags timeout; }}
  set tickets {{ type mark; flags timeout; }}
  chain arriving {{
    type filter hook prerouting priority -310;
    ip daddr @virtual4 ip daddr != @leases4 counter drop
    ip6 daddr @virtual6 ip6 daddr != @leases6 counter drop
  }}
  chain leaving {{
    type filter hook output priority -310;
    ip saddr @virtual4 ip saddr != @leases4 counter drop
    ip6 saddr @virtual6 ip6 saddr != @leases6 counter drop
  }}
}}
table arp {table} {{
  set virtual4 {{ type ipv4_addr; {virtual4} }}
  set leases4 {{ type ipv4_addr; flags timeout; }}
  chain arriving {{
    type filter hook input priority 0;
    arp daddr ip @virtual4 arp daddr ip != @leases4 counter drop
  }}
  chain leaving {{
    type filter hook output priority 0;
    arp saddr ip @virtual4 arp saddr ip != @leases4 counter drop
  }}
}}
"""


class FenceFailed(OSError):
    """The fence cannot be put up, in one sentence for the operator."""


def rules(addresses: Iterable[str]) -> str:
    """The rules for these virtual addresses, in the language of nft. They replace earlier ones in one step."""
    found = [ip_interface(text).ip for text in addresses]
    return _RULES.format(
        table=TABLE,
        virtual4=_elements([str(address) for address in found if address.version == 4]),
        virtual6=_elements([str(address) for address in found if address.version == 6]),
    )


def _elements(addresses: Sequence[str]) -> str:
    return f"elements = {{ {', '.join(addresses)} }};" if addresses else ""


def put_up_fence(addresses: Iterable[str]) -> None:
    """Have the rules in force, with all leases closed. Raises FenceFailed."""
    _run_nft(rules(addresses))


def _run_nft(text: str) -> None:
    try:
        done = subprocess.run(["nft", "-f", "-"], input=text, text=True, capture_output=True, timeout=NFT_MAX_S)
    except FileNotFoundError as fault:
        raise FenceFailed("The program nft is not installed; install the package nftables.") from fault
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise FenceFailed(f"The program nft failed: {fault}.") from fault
    if done.returncode:
        raise FenceFailed(f"The rules of the fence were refused: {done.stderr.strip()}.")
