"""Records in a file, read whole, torn and damaged."""

from __future__ import annotations

import random

import pytest

from appliance.messages.record_frames import HEADER, FrameReader, NewerFormat, frame

RECORDS = [b"record %d " % number + bytes(range(number)) for number in range(100)]
FILE = HEADER + b"".join(map(frame, RECORDS))


def read(data: bytes, piece: int = 1000) -> tuple[FrameReader, list[bytes]]:
    reader = FrameReader()
    records = []
    for at in range(0, len(data), piece):
        records += reader.feed(data[at : at + piece])
    return reader, records + reader.finish()


@pytest.mark.parametrize("piece", [1, 7, 1000, 10**6])
def test_a_file_is_read_in_pieces_of_any_size(piece: int) -> None:
    reader, records = read(FILE, piece)
    assert records == RECORDS
    assert (reader.torn, reader.damage) == (0, [])


def test_wherever_the_end_is_torn_all_before_it_is_read_and_nothing_is_called_damage() -> None:
    for end in range(len(FILE)):
        reader, records = read(FILE[:end])
        assert records == RECORDS[: len(records)]
        assert reader.damage == []
        assert len(HEADER) + sum(len(frame(record)) for record in records) + reader.torn == max(
            end, len(HEADER)
        ) or end < len(HEADER)


def test_an_end_that_was_never_filled_in_is_torn() -> None:
    reader, records = read(FILE + b"\0" * 4096)
    assert records == RECORDS
    assert (reader.torn, reader.damage) == (4096, [])


@pytest.mark.parametrize("piece", [100, 10**6])
def test_damage_in_the_middle_costs_no_other_record(piece: int) -> None:
    start = FILE.index(frame(RECORDS[50]))
    for spoiled in (b"\0" * 20, b"X" * 20, frame(b"")[:5] + b"\xff" * 15):
        reader, records = read(FILE[:start] + spoiled + FILE[start + 20 :], piece)
        assert records == RECORDS[:50] + RECORDS[51:]
        assert reader.damage == [(start, len(frame(RECORDS[50])))]


def test_a_missing_piece_costs_what_was_in_it() -> None:
    reader, records = read(FILE[:1500] + FILE[3000:])
    assert len(reader.damage) == 1
    assert len(records) > 70
    assert set(records) < set(RECORDS)


def test_a_damaged_last_record_is_damage() -> None:
    reader, records = read(FILE[:-1] + b"?")
    assert records == RECORDS[:-1]
    assert len(reader.damage) == 1
    assert reader.torn == 0


def test_without_a_header_it_is_damaged_and_read_all_the_same() -> None:
    reader, records = read(b"#" + FILE[1:])
    assert records == RECORDS
    assert reader.damage == [(0, len(HEADER))]
    reader, records = read(b"not a journal at all")
    assert (records, reader.damage) == ([], [(0, 20)])


def test_a_file_of_a_later_version_is_refused() -> None:
    with pytest.raises(NewerFormat) as caught:
        read(FILE.replace(b"format 1", b"format 2"))
    assert caught.value.found == 2


def test_an_empty_file_is_just_empty() -> None:
    reader, records = read(b"")
    assert (records, reader.torn, reader.damage) == ([], 0, [])


def test_no_octets_raise_anything_else() -> None:
    seed = 11
    print("seed", seed)
    rng = random.Random(seed)
    for _ in range(300):
        spoiled = bytearray(FILE)
        for _ in range(rng.randrange(1, 10)):
            spoiled[rng.randrange(len(HEADER), len(spoiled))] = rng.randrange(256)
        _, records = read(bytes(spoiled), rng.choice((64, 1000, 100000)))
        assert set(records) <= set(RECORDS)
        assert len(records) >= len(RECORDS) - 10
