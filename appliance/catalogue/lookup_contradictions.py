"""Settings of a lookup that are right by themselves and wrong together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from appliance.catalogue.contradiction import Contradiction
from appliance.catalogue.lookup_values import HTTP, LDAP, SQL, WHOIS, placeholders_in, protocol_of


def lookup_contradictions(settings: Any) -> Iterator[Contradiction]:
    """What a lookup needs follows from its servers."""
    protocol = protocol_of(settings.servers)
    if settings.servers and not protocol:
        yield Contradiction(("servers",), "the servers are of different protocols", "make a lookup for each protocol")
    for attribute, word, wanted in (
        ("statement", "statement", (SQL,)),
        ("base", "base", (LDAP,)),
        ("filter", "filter", (LDAP,)),
        ("query", "query", (WHOIS,)),
        ("attributes", "attribute", (LDAP, WHOIS)),
    ):
        if protocol in wanted and not getattr(settings, attribute):
            yield Contradiction((attribute, "servers"), f"{protocol} needs `{word}`", f"add `{word}`")
        elif protocol and protocol not in wanted and getattr(settings, attribute):
            yield Contradiction((attribute, "servers"), f"`{word}` is not for {protocol}", f"type `no {word}`")
    for attribute in ("filter", "query"):
        text = getattr(settings, attribute)
        if text and not placeholders_in(text):
            yield Contradiction((attribute,), f"`{attribute}` is the same for all calls", "add {number} to it")
    if settings.user and not settings.secret_file:
        # RFC 4513 5.1.2: a bind with a name and no password proves nothing, and some servers let it pass.
        yield Contradiction(("user", "secret_file"), "`user` has no password", "add `secret-file FILE`")
    if settings.secret_file and (protocol not in (HTTP, LDAP) or (protocol == LDAP and not settings.user)):
        remedy = "type `no secret-file`, or add `user DN` for LDAP"
        yield Contradiction(("secret_file",), "`secret-file` is for HTTP, or for `user` of LDAP", remedy)
