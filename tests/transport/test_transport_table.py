"""The table of transports, and what is read from it (RFC 3261 18, 19.1.2, 20.42)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from appliance.catalogue.settings import ListenerSettings
from appliance.catalogue.transports import TRANSPORTS, VIA_PORTS, Transport
from appliance.sip.uri import parse_uri
from appliance.transport.flow import Flow
from appliance.transport.transport_table import (
    UNKNOWN_TRANSPORT,
    VIA_TOKENS,
    default_port,
    is_known,
    is_opened_here,
    is_stream,
    port_of_uri,
    transport_of_uri,
    transport_of_via,
)

PACKAGE = Path(__file__).resolve().parents[2] / "appliance"
# A transport that is compared with a number decides by what it is called and not by what it is.
COMPARISON = re.compile(r"(==|!=) (UDP|TCP)\b|\b(UDP|TCP) (==|!=)|\btransport (==|!=) \d")
EVERY = pytest.mark.parametrize("row", TRANSPORTS, ids=lambda row: row.name)


@EVERY
def test_a_row_stands_at_the_place_of_its_number(row: Transport) -> None:
    assert TRANSPORTS[row.number] is row


def test_no_two_rows_share_a_name() -> None:
    for column in ("name", "via"):
        assert len({getattr(row, column) for row in TRANSPORTS}) == len(TRANSPORTS)
    assert len({(row.uri_parameter, row.is_secure) for row in TRANSPORTS}) == len(TRANSPORTS)


@EVERY
def test_what_names_a_transport_finds_its_row(row: Transport) -> None:
    assert transport_of_via(row.via) == row.number
    assert VIA_TOKENS[row.number] == row.via
    # RFC 7118 5.2: `ws` is with TLS in a sips URI only.
    is_below_tls = row.is_secure and any(row.uri_parameter == other.uri_parameter for other in TRANSPORTS[: row.number])
    scheme = b"sips" if is_below_tls else b"sip"
    assert transport_of_uri(parse_uri(scheme + b":a@b;transport=" + row.uri_parameter.upper())) == row.number
    assert ListenerSettings(transports=(row.number,), certificates=("own",)).transports == (row.number,)


@EVERY
def test_the_columns_are_read_by_number(row: Transport) -> None:
    assert is_known(row.number)
    assert is_stream(row.number) == Flow(row.number, 0, ("192.0.2.1", 5060)).is_stream == row.is_stream
    assert default_port(row.number) == VIA_PORTS[row.via] == row.default_port
    assert is_opened_here(row.number) == row.is_opened_here


@pytest.mark.parametrize("number", [UNKNOWN_TRANSPORT, len(TRANSPORTS), 63, 64, 1000])
def test_an_unknown_number_is_no_stream_and_has_the_port_of_sip(number: int) -> None:
    assert (is_known(number), is_stream(number), default_port(number)) == (False, False, 5060)


def test_a_uri_without_a_transport_means_the_default_one() -> None:
    for text in (b"sip:a@b", b"sip:a@b;lr", b"sip:a@b;transport"):
        assert transport_of_uri(parse_uri(text)) == 0
    assert transport_of_uri(parse_uri(b"sip:a@b;transport=sctp")) == UNKNOWN_TRANSPORT


def test_the_port_of_a_uri_is_its_own_or_that_of_its_transport() -> None:
    assert port_of_uri(parse_uri(b"sip:a@b:5070;transport=tcp")) == 5070
    assert port_of_uri(parse_uri(b"sip:a@b;transport=tcp")) == 5060
    assert port_of_uri(parse_uri(b"sip:a@b;transport=sctp")) == 5060


def test_no_module_decides_by_the_number_of_a_transport() -> None:
    # RFC 3261 18.1.1: what is too long for UDP goes by TCP, and back.
    named = {"routing/next_hops.py", "transport/via.py"}
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in [*PACKAGE.glob("**/*.py"), *PACKAGE.glob("**/*.pyx")]
        if COMPARISON.search(path.read_text(encoding="utf-8"))
    }
    assert found <= named
