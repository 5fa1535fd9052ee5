"""Messages of `debug sip` on their way: each is written to a capture file, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import BinaryIO

from cli.capture import HEADER, record_of
from cli.files import open_private
from cli.output import Item


def saved(name: str, items: Iterable[Item]) -> Iterator[Item]:
    """The items as they come. Raises Failed before the first one where the file cannot be written."""
    file = open_private(name)
    return _writing(file, items)


def _writing(file: BinaryIO, items: Iterable[Item]) -> Iterator[Item]:
    with file:
        file.write(HEADER)
        for kind, content in items:
            if kind == "event":
                # A message whose addresses are none is shown only.
                with suppress(ValueError, KeyError):
                    file.write(record_of(content))
                    file.flush()
            yield kind, content
