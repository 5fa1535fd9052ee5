"""GETBULK (RFC 3416 4.2.3), and its variables as octets: the same ones as the general encoder makes."""

from __future__ import annotations

import pytest
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import rfc1902, rfc1905
from pysnmp.proto.api import v2c

from appliance.catalogue.mib_objects import Oid
from appliance.management.snmp.bulk_reading import bulk_bindings
from appliance.management.snmp.object_tree import ObjectTree, Plain, Value
from appliance.management.snmp.variable_encoding import encoded_bindings

ONE = Value("Integer32", 1)
TREE = ObjectTree([((1, 3, column, row), ONE) for column in (1, 2) for row in range(1, 6)])
OID: Oid = (1, 3, 6, 1, 4, 1, 32473, 1, 128, 16383, 16384, 4294967295)


def names(non_repeaters: int, repetitions: int, *asked: Oid, limit: int = 100) -> list[tuple[Oid, bool]]:
    """What is found, and whether it has a value."""
    found = bulk_bindings(TREE.next_after, asked, non_repeaters, repetitions, limit)
    return [(oid, value is not None) for oid, value in found]


def test_what_is_not_repeated_comes_first_and_the_others_by_turns() -> None:
    assert names(1, 2, (1,), (1, 3, 1), (1, 3, 2)) == [
        ((1, 3, 1, 1), True),
        ((1, 3, 1, 1), True),
        ((1, 3, 2, 1), True),
        ((1, 3, 1, 2), True),
        ((1, 3, 2, 2), True),
    ]


def test_the_end_is_told_once() -> None:
    assert names(0, 50, (1, 3, 2, 4)) == [((1, 3, 2, 5), True), ((1, 3, 2, 5), False)]
    assert names(0, 2, (1, 3, 1, 5), (1, 3, 2, 5)) == [
        ((1, 3, 2, 1), True),
        ((1, 3, 2, 5), False),
        ((1, 3, 2, 2), True),
        ((1, 3, 2, 5), False),
    ]


@pytest.mark.parametrize(("non_repeaters", "repetitions"), [(0, 0), (0, -1), (-1, 0)])
def test_no_repetitions_are_no_variables(non_repeaters: int, repetitions: int) -> None:
    assert names(non_repeaters, repetitions, (1,)) == []


def test_a_response_is_bounded() -> None:
    assert len(names(0, 2**31 - 1, (1,), limit=7)) == 7
    assert len(names(200, 0, *[(1,)] * 150, limit=100)) == 100
    # Whole turns only, but not nothing at all.
    assert len(names(0, 9, (1,), (1,), (1,), limit=7)) == 6 and len(names(0, 9, *[(1,)] * 9, limit=7)) == 7


@pytest.mark.parametrize(
    ("syntax", "content", "peer"),
    [
        *(("Integer32", number, rfc1902.Integer32) for number in (0, 1, -1, 127, 128, -129, 2**31 - 1)),
        *(("Counter64", number, rfc1902.Counter64) for number in (0, 255, 256, 2**63, 2**64 - 1)),
        *(("Gauge32", number, rfc1902.Gauge32) for number in (0, 128, 2**32 - 1)),
        ("Unsigned32", 2**31, rfc1902.Unsigned32),
        ("Counter32", 2**32 - 1, rfc1902.Counter32),
        ("TimeTicks", 2**24, rfc1902.TimeTicks),
        ("OctetString", b"", rfc1902.OctetString),
        ("SnmpAdminString", b"x" * 127, rfc1902.OctetString),
        ("SnmpAdminString", b"x" * 300, rfc1902.OctetString),
        ("ObjectIdentifier", OID, rfc1902.ObjectIdentifier),
        ("ObjectIdentifier", (0, 0), rfc1902.ObjectIdentifier),
        ("TruthValue", 2, rfc1902.Integer32),
    ],
)
def test_a_value_has_the_octets_of_the_general_encoder(syntax: str, content: Plain, peer: type) -> None:
    octets = encoded_bindings([(OID, Value(syntax, content))])
    bindings = v2c.VarBindList()
    binding = v2c.VarBind()
    v2c.apiVarBind.set_oid_value(binding, (rfc1902.ObjectName(OID), peer(content)))
    bindings.setComponentByPosition(0, binding, matchConstraints=False)
    assert octets == encoder.encode(bindings)


@pytest.mark.parametrize("number", [-128, -32768, -(2**31)])
def test_a_number_has_as_few_octets_as_can_be(number: int) -> None:
    """X.690 8.3.2: the first nine bits of an integer are not all the same."""
    octets = encoded_bindings([((1, 3), Value("Integer32", number))])
    assert octets.endswith(bytes([2, len(octets) - 9]) + number.to_bytes(len(octets) - 9, "big", signed=True))
    assert number.bit_length() == 8 * (len(octets) - 9)
    decoded, _ = decoder.decode(octets, asn1Spec=v2c.VarBindList())
    assert int(v2c.apiVarBind.get_oid_value(decoded[0])[1]) == number


def test_the_end_of_the_view_is_read_as_such() -> None:
    decoded, rest = decoder.decode(encoded_bindings([(OID, None)] * 40), asn1Spec=v2c.VarBindList())
    assert not rest and len(decoded) == 40
    assert rfc1905.endOfMibView.isSameTypeWith(v2c.apiVarBind.get_oid_value(decoded[39])[1])
