"""Secrets that an editor was not shown stay as they are, go nowhere else, and are never taken for values."""

from __future__ import annotations

import pytest

from appliance.catalogue.errors import ConfigError
from appliance.catalogue.redaction import without_secrets
from appliance.configuration.hidden_values import with_hidden_values
from appliance.configuration.text import parse_configuration, write_configuration
from cli.candidate import read_draft, write_draft

HASH = f"scrypt:16384:8:1:{'0a' * 16}:{{}}"
TEXT = write_configuration(
    parse_configuration(f"""
enable secret {HASH.format("5b" * 32)}
subscribers database postgresql://box:tiger@db/sip
operator ann
  secret {HASH.format("6c" * 32)}
operator eve
  secret {HASH.format("7d" * 32)}
snmp
  community first from 192.0.2.0/24
  community second from 192.0.2.0/24
  user carl sha256 key {"8e" * 32} {"9f" * 32}
  target desk 192.0.2.9 community third
""")
)
SHOWN = without_secrets(TEXT)


def test_a_draft_of_what_is_shown_holds_what_is_hidden() -> None:
    for secret in ("tiger", "5b5b", "6c6c", "7d7d", "8e8e", "9f9f", "first", "second", "third"):
        assert secret in TEXT and secret not in SHOWN
    assert write_draft(read_draft(SHOWN)) == SHOWN


def test_what_was_hidden_is_put_back() -> None:
    assert with_hidden_values(SHOWN, TEXT) == TEXT
    changed = SHOWN.replace("operator ann\n", "operator ann\n  description of the east\n") + "domain example.com\n"
    assert without_secrets(with_hidden_values(changed, TEXT)) == changed
    assert "<hidden" not in with_hidden_values(changed, TEXT)


@pytest.mark.parametrize(
    "line",
    [
        "operator bob\n  secret <hidden>\n",
        "operator ann\n  secret <hidden>\n  secret <hidden>\n",
        "snmp\n  community <hidden>\n",
        "snmp\n  target other 192.0.2.9 community <hidden-3>\n",
        "subscribers database postgresql://box:<hidden>@elsewhere/sip\n",
        "subscribers database postgresql://db/sip?password=<hidden>\n",
        "snmp\n  user dave sha256 key <hidden> <hidden>\n",
    ],
)
def test_a_hidden_value_goes_nowhere_else(line: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_configuration(with_hidden_values(line, TEXT))
    assert any(fault.problem == "the value is hidden" for fault in refused.value.faults)


def test_a_secret_may_be_replaced_and_removed() -> None:
    other = HASH.format("aa" * 32)
    text = with_hidden_values(f"operator ann\n  secret {other}\noperator eve\n  secret <hidden>\n", TEXT)
    ann, eve = parse_configuration(text).operators
    assert (ann.secret, eve.secret) == (other, HASH.format("7d" * 32))
