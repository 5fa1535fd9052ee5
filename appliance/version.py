"""Which Signalbox this is: its version, and which of the two builds."""

from __future__ import annotations

from importlib import metadata

from appliance.sip import parser


def version_text() -> str:
    """The version that is installed; behind `+git`, the number of commits since it and the commit."""
    try:
        return metadata.version("signalbox")
    except metadata.PackageNotFoundError:
        return "of a source folder"


def build_text() -> str:
    """`compiled` or `pure`."""
    return "pure" if str(parser.__file__).endswith(".py") else "compiled"
