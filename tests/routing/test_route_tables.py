"""Route tables: longest prefix, order, files that are damaged."""

from __future__ import annotations

import random

import pytest

from appliance.routing.route_entry import RouteEntry, RouteFault, entry_of
from appliance.routing.route_file import RouteFileWriter
from appliance.routing.route_order import in_order
from appliance.routing.route_prefixes import key_of_prefix, text_of_key
from appliance.routing.route_tables import RouteTables


def _tables(rules: dict[str, list[str]]) -> RouteTables:
    writer = RouteFileWriter()
    for table, prefixes in rules.items():
        for prefix in prefixes:
            writer.add(table, key_of_prefix(prefix), RouteEntry(f"sip:gw.example.com;p={len(prefix)}").text())
    return RouteTables(memoryview(writer.octets()))


def _naive(prefixes: list[str], number: str) -> str | None:
    fitting = [each for each in prefixes if each == "any" or (number + "$").startswith(each)]
    return max(fitting, key=lambda each: 0 if each == "any" else len(each), default=None)


@pytest.mark.parametrize("seed", range(20))
def test_longest_prefix_is_that_of_a_naive_search(seed: int) -> None:
    chance = random.Random(seed)

    def text(most: int) -> str:
        return "".join(chance.choices("0129", k=chance.randint(1, most)))

    rules = {
        name: sorted({chance.choice(("", "+")) + text(6) + chance.choice(("", "", "$")) for _ in range(200)})
        for name in ("a", "b")
    }
    rules["b"].append("any")
    tables = _tables(rules)
    for _ in range(500):
        number = chance.choice(("", "+")) + text(9)
        for name, prefixes in rules.items():
            match = tables.find(name, number.encode())
            assert (match.prefix if match else None) == _naive(prefixes, number), (name, number)
        beginning = chance.choice(("", "+")) + text(3)
        key = key_of_prefix(beginning)
        below = [match.prefix for match in tables.below("a", key, 1000)]
        assert sorted(below) == sorted(each for each in rules["a"] if each.startswith(beginning))
        assert tables.count_below("a", key) == len(below)
        assert [match.prefix for match in tables.below("a", key, 2, 1)] == below[1:3]


def test_table_that_does_not_exist_has_no_route() -> None:
    tables = _tables({"a": ["+1"]})
    assert tables.find("b", b"+1") is None
    assert tables.names == ("a",)
    assert list(tables.below("b", 0, 10)) == []


@pytest.mark.parametrize("text", ["+1973555121234567"[:16], "911$", "*21#", "any", "0", "+", "+$"])
def test_prefix_is_written_as_it_is_typed(text: str) -> None:
    assert text_of_key(key_of_prefix(text)) == text


@pytest.mark.parametrize("text", ["", "alice", "1+", "$", "+12345678901234567", "9$1", "9$$", "$9", "++1", "1 2", "१"])
def test_what_is_no_prefix_is_refused(text: str) -> None:
    with pytest.raises(RouteFault):
        key_of_prefix(text)


def test_rows_of_one_prefix_keep_their_order() -> None:
    writer = RouteFileWriter()
    for place in (3, 1, 2):
        writer.add("a", key_of_prefix("+1"), RouteEntry(f"sip:gw{place}.example.com").text())
    match = RouteTables(memoryview(writer.octets())).find("a", b"+12")
    assert match is not None
    assert [entry.action for entry in match.entries] == [f"sip:gw{place}.example.com" for place in (3, 1, 2)]


@pytest.mark.parametrize("cut", [0, 7, 40, -1])
def test_damaged_file_is_refused(cut: int) -> None:
    writer = RouteFileWriter()
    writer.add("a", 0, RouteEntry("registrar").text())
    with pytest.raises(ValueError, match="it is"):
        RouteTables(memoryview(writer.octets()[:cut]))


@pytest.mark.parametrize(
    "entry",
    [
        RouteEntry("sip:[2001:db8::1]:5070;transport=tcp", 3, 20, 1, "00"),
        RouteEntry("redirect sips:example.com"),
        RouteEntry("reject 603 Not Here"),
        RouteEntry("table other"),
        RouteEntry("enum e164.arpa"),
        RouteEntry("registrar"),
    ],
)
def test_entry_is_read_as_it_was_written(entry: RouteEntry) -> None:
    assert entry_of(entry.text()).text() == entry.text()


@pytest.mark.parametrize(
    "action",
    ["", "enum", "enum a b", "enum -a",
     "sip:", "sip:bob@example.com", "sip:a?Subject=x", "tel:+1", "reject", "reject 302", "reject 4040", "table",
     "table a b", "registrar x", "redirect", "sip:a b"],
)  # fmt: skip
def test_what_is_no_action_is_refused(action: str) -> None:
    with pytest.raises(RouteFault):
        RouteEntry(action)


def test_number_is_rewritten_for_the_next_hop() -> None:
    entry = RouteEntry("sip:gw.example.com:5070;transport=tcp", strip=3, prepend="0")
    uri = entry.uri_for(entry.number_for(b"+4930123456"), b";npdi")
    assert uri.text == b"sip:030123456;npdi@gw.example.com:5070;transport=tcp;user=phone"


def test_lower_priority_is_first_and_weight_shares() -> None:
    equal = [RouteEntry("sip:a", 1, 3), RouteEntry("sip:b", 1, 1), RouteEntry("sip:c", 1, 0)]
    entries = [RouteEntry("sip:late", 2), *equal]
    orders = [[entry.action for entry in in_order(entries, seed)] for seed in range(0, 4000 * 7919, 7919)]
    assert {order[3] for order in orders} == {"sip:late"}
    share = sum(order[0] == "sip:a" for order in orders) / len(orders)
    assert 0.7 < share < 0.8
    assert not any(order[0] == "sip:c" for order in orders)
