"""`show certificates`: what the files say, and what is wrong with them."""

from __future__ import annotations

import time
from pathlib import Path

from appliance.catalogue.certificate_settings import CertificateSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.catalogue.transports import TLS
from appliance.management.tasks.show_certificates import rows_of
from tests.certificate_authority import CertificateAuthority


def test_a_row_for_each_certificate(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    chain, key = authority.issue("good", "DNS:b.example,DNS:a.example", days=20)
    settings = Settings(
        listeners=(ListenerSettings(name="edge", port=5061, transports=(TLS,), certificates=("good",)),),
        certificates=(
            CertificateSettings(name="good", chain=str(chain), key=str(key)),
            CertificateSettings(name="missing", chain="/missing.pem", key=str(key)),
        ),
    )
    good, missing = rows_of(settings, time.time())
    assert good["listeners"] == "edge" and good["proves"] == "a.example, b.example"
    assert good["issuer"] == "Signalbox test CA" and good["days"] == 19 and good["state"] == "valid"
    assert "GMT" in good["expires"]
    assert missing["state"] == "the certificate /missing.pem cannot be read (no such file or directory)"
