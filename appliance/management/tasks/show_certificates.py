"""`show certificates`: what the files of the configured certificates say now; no worker is asked."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Final

from appliance import clock
from appliance.catalogue.certificate_settings import CertificateSettings
from appliance.catalogue.settings import Settings
from appliance.management.appliance_client import Call
from appliance.security.certificate_names import identities_of
from appliance.tls_contexts import CertificateUnusable, Facts, facts_of

Result = dict[str, Any]

DAY_S: Final = 86400


async def show_certificates(call: Call) -> Result:
    """One row for each; reading them takes no time of other requests."""
    settings = call.client.settings
    return {"certificates": await asyncio.to_thread(rows_of, settings, clock.wall_time())}


def rows_of(settings: Settings, wall_time: float) -> list[Result]:
    """A row for each certificate, with what is wrong with it in place of its state."""
    return [_row(certificate, settings, wall_time) for certificate in settings.certificates]


def _row(certificate: CertificateSettings, settings: Settings, wall_time: float) -> Result:
    listeners = [one.name for one in settings.listeners if certificate.name in one.certificates]
    row = {"name": certificate.name, "listeners": ", ".join(listeners)}
    try:
        facts = facts_of(certificate, settings.tls)
    except CertificateUnusable as fault:
        return row | {"proves": "", "issuer": "", "expires": "", "days": 0, "state": fault.problem}
    end = facts["notAfter"]
    return row | {
        "proves": ", ".join(sorted(identities_of(facts))),
        "issuer": _common_name(facts),
        "expires": end,
        "days": int((ssl.cert_time_to_seconds(end) - wall_time) // DAY_S),
        "state": "valid",
    }


def _common_name(facts: Facts) -> str:
    names = dict(pair for part in facts.get("issuer", ()) for pair in part)
    return str(names.get("commonName", ""))
