"""No password of a URL, and no hash, survives in what is shown, logged or archived."""

from __future__ import annotations

import pytest

from appliance.catalogue.redaction import loggable, without_secrets, without_url_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://box:tiger@db/sip", "postgresql://box:<hidden>@db/sip"),
        ("postgresql://box:ti/g@er:x@db/sip", "postgresql://box:<hidden>@db/sip"),
        ("postgresql://db/sip?password=tiger", "postgresql://db/sip?password=<hidden>"),
        ("postgresql://box@db/sip?user=box&password=t@ger", "postgresql://box@db/sip?user=<hidden>&password=<hidden>"),
        ("postgresql://db/sip?PassWord=tiger&sslmode=require", "postgresql://db/sip?PassWord=<hidden>&sslmode=require"),
        ("postgresql://db/sip?pass%77ord=tiger", "postgresql://db/sip?pass%77ord=<hidden>"),
        ('subscribers database "postgresql://box:ti ger@db/sip"', 'subscribers database "postgresql://box:<hidden>@db/sip"'),
        ("postgresql://box@db/sip does not answer", "postgresql://box@db/sip does not answer"),
        ("sqlite:////var/lib/signalbox/subscribers.sqlite3", "sqlite:////var/lib/signalbox/subscribers.sqlite3"),
        ("no URL; sip:bob@example.com", "no URL; sip:bob@example.com"),
    ],
)  # fmt: skip
def test_the_secrets_of_a_url_are_hidden(text: str, shown: str) -> None:
    assert without_url_secrets(text) == shown


def test_hashes_are_hidden_as_well() -> None:
    assert without_secrets("enable secret scrypt:16384:8:1:00ff:ffaa\n") == "enable secret <hidden>\n"


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("fault in `enable secret scrypt:16384:8:1:00ff:ffaa`", "fault in `enable secret <hidden>`"),
        ("`user anna sha256 key 00ff 11ee` is refused", "`user anna sha256 key <hidden> <hidden>` is refused"),
        ("postgresql://box:tiger@db/sip does not answer", "postgresql://box:<hidden>@db/sip does not answer"),
        ("community 2 of 192.0.2.1 may not write", "community 2 of 192.0.2.1 may not write"),
    ],
)
def test_sentences_of_the_log_have_no_hashes_keys_and_passwords(sentence: str, shown: str) -> None:
    assert loggable(sentence) == shown
