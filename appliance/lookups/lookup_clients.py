"""The client for a server, by the scheme of its URL. What each takes is loaded when the first one is made."""

from __future__ import annotations

from appliance.catalogue.lookup_settings import LookupSettings
from appliance.catalogue.lookup_values import HTTP, LDAP, PROTOCOL_OF_SCHEME, SQL, scheme_of
from appliance.lookups.lookup_client import LookupClient
from appliance.lookups.sessions import Sessions


def new_client(server: str, settings: LookupSettings) -> LookupClient:
    """Who asks that server."""
    protocol = PROTOCOL_OF_SCHEME[scheme_of(server)]
    if protocol == SQL:
        from appliance.lookups.sql_lookup import SqlDatabase

        return Sessions(SqlDatabase(server, settings).open_session, settings.concurrency)
    if protocol == LDAP:
        from appliance.lookups.ldap_lookup import LdapSession

        return Sessions(lambda: LdapSession(server, settings), settings.concurrency)
    if protocol == HTTP:
        from appliance.lookups.http_lookup import HttpClient

        return HttpClient(server, settings)
    from appliance.lookups.whois_lookup import WhoisClient

    return WhoisClient(server, settings)
