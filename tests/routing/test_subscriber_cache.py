"""Subscribers remembered from the store."""

from __future__ import annotations

from appliance.routing.subscriber_cache import SubscriberCache


def test_an_answer_is_believed_for_its_time() -> None:
    cache = SubscriberCache(10, 60.0)
    cache.remember(b"bob", b"example.com", True, b"md5", b"sha", 100.0)
    known = cache.find(b"bob", b"example.com", 159.9)
    assert known is not None and (known.found, known.ha1_md5, known.ha1_sha256) == (True, b"md5", b"sha")
    assert cache.find(b"bob", b"example.com", 160.0) is None
    assert cache.find(b"bob", b"example.net", 100.0) is None


def test_no_such_user_is_an_answer_too() -> None:
    cache = SubscriberCache(10, 60.0)
    cache.remember(b"eve", b"example.com", False, b"", b"", 0.0)
    known = cache.find(b"eve", b"example.com", 1.0)
    assert known is not None and not known.found


def test_a_user_is_forgotten_in_every_realm() -> None:
    cache = SubscriberCache(10, 60.0)
    for realm in (b"example.com", b"example.net"):
        cache.remember(b"bob", realm, True, b"", b"", 0.0)
    cache.remember(b"alice", b"example.com", True, b"", b"", 0.0)
    cache.forget(b"bob")
    assert len(cache) == 1
    cache.forget(b"")
    assert len(cache) == 0


def test_the_cache_is_bounded() -> None:
    cache = SubscriberCache(2, 60.0)
    for number in range(5):
        cache.remember(b"user%d" % number, b"example.com", True, b"", b"", 0.0)
    assert len(cache) == 2
    assert cache.find(b"user4", b"example.com", 0.0) is not None
