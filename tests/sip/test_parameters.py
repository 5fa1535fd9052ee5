"""Lists, quoted strings and parameters (RFC 3261 7.3.1, 25.1)."""

from __future__ import annotations

import pytest

from appliance.sip.errors import MalformedMessage
from appliance.sip.parameters import quote, split_list, unquote


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        (b"", []),
        (b"  ", []),
        (b"a", [b"a"]),
        (b" a , b ,c ", [b"a", b"b", b"c"]),
        (b"a,,b", [b"a", b"", b"b"]),
        (b"a,", [b"a", b""]),
        (b'"x,y" <sip:a,b@c>;z="1,2",d', [b'"x,y" <sip:a,b@c>;z="1,2"', b"d"]),
        (b'"x\\",y",b', [b'"x\\",y"', b"b"]),
        (b"a,\r\n b", [b"a", b"b"]),
    ],
)
def test_lists_split_at_their_commas_only(value: bytes, elements: list[bytes]) -> None:
    assert split_list(value) == elements


@pytest.mark.parametrize("value", [b'a,"b', b"a,<b", b'"\\",a'])
def test_lists_that_do_not_balance(value: bytes) -> None:
    with pytest.raises(MalformedMessage):
        split_list(value)


@pytest.mark.parametrize("text", [b"", b"plain", b'with "quotes"', b"back\\slash", b'\\"', b"a\x00b"])
def test_unquote_undoes_quote(text: bytes) -> None:
    assert unquote(quote(text)) == text


def test_unquote_leaves_tokens_alone() -> None:
    assert unquote(b"token") == b"token"
    assert unquote(b'"') == b'"'
