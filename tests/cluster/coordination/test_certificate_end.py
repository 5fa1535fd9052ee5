"""The end of the certificate that a member shows to etcd (RFC 5280 4.1.2.5)."""

from __future__ import annotations

import subprocess
from calendar import timegm
from email.utils import parsedate
from pathlib import Path

import pytest

from appliance.cluster.coordination.certificate_end import end_of_certificate
from tests.certificate_authority import CertificateAuthority


@pytest.mark.parametrize("days", [1, 400, 20_000])
def test_the_end_is_the_one_that_openssl_reads(tmp_path: Path, days: int) -> None:
    """A client's certificate; from 2050 on the time is a GeneralizedTime."""
    chain, _ = CertificateAuthority(tmp_path).issue("node", "IP:192.0.2.1", days, usage="clientAuth")
    told = subprocess.run(["openssl", "x509", "-enddate", "-noout", "-in", chain], capture_output=True, text=True)
    month, day, clock, year, _ = told.stdout.strip().partition("=")[2].split()
    parts = parsedate(f"{day} {month} {year} {clock} GMT")
    assert parts is not None
    assert end_of_certificate(chain.read_text()) == timegm((*parts[:6], 0, 1, 0))


@pytest.mark.parametrize("text", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----"])
def test_what_is_no_certificate_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        end_of_certificate(text)
