"""FNV-1a against values that its authors publish."""

from __future__ import annotations

import pytest

from appliance.sip.fnv import fnv


@pytest.mark.parametrize(
    ("text", "checksum"), [(b"", 0x811C9DC5), (b"a", 0xE40C292C), (b"foobar", 0xBF9CF968)]
)
def test_published_values(text: bytes, checksum: int) -> None:
    assert fnv(text) == checksum


def test_what_comes_before_is_where_it_begins() -> None:
    assert fnv(b"bar", fnv(b"foo")) == fnv(b"foobar")
