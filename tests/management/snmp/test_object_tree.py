"""GET and GETNEXT on a tree of variables (RFC 3416 4.2.1, 4.2.2)."""

from __future__ import annotations

from appliance.management.snmp.object_tree import Missing, ObjectTree, Value

ONE, TWO, THREE = (1, 3, 1, 0), (1, 3, 2, 1), (1, 3, 10, 0)


def tree() -> ObjectTree:
    return ObjectTree([(THREE, Value("Gauge32", 3)), (ONE, Value("Gauge32", 1)), (TWO, Value("Gauge32", 2))])


def test_a_walk_passes_every_variable_in_order() -> None:
    walked, place = [], (1,)
    while following := tree().next_after(place):
        place = following[0]
        walked.append(place)
    assert walked == [ONE, TWO, THREE]


def test_a_row_that_vanishes_in_a_walk_ends_nothing() -> None:
    without = ObjectTree([(ONE, Value("Gauge32", 1)), (THREE, Value("Gauge32", 3))])
    following = without.next_after(TWO)
    assert following is not None and following[0] == THREE


def test_what_is_missing_is_told_apart() -> None:
    assert tree().get((1, 3, 2, 9)) is Missing.INSTANCE
    assert tree().get((1, 3, 7, 0)) is Missing.OBJECT
    assert tree().get((1, 3, 2)) is Missing.INSTANCE or tree().get((1, 3, 2)) is Missing.OBJECT


def test_a_value_of_the_moment_is_asked_each_time() -> None:
    moments = iter((1, 2))
    found = ObjectTree([(ONE, Value("TimeTicks", lambda: next(moments)))]).get(ONE)
    assert isinstance(found, Value) and (found.now, found.now) == (1, 2)
