"""The settings of route tables that are read from a database (docs/routing.md)."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.lookup_values import RowsStatement
from appliance.catalogue.setting_declaration import LIVE, name_of_section, setting
from appliance.catalogue.value_types import DatabaseUrl, Integer, Name, Remark


# fmt: off
@dataclass(frozen=True, slots=True)
class RouteTableSettings(CheckedSettings):
    """A route table whose rows are read from a database on a schedule."""

    name: str = name_of_section("route-table", Name())
    description: str = setting("", "description", Remark(80), LIVE, "A description for operators.")
    servers: tuple[str, ...] = setting(
        (), "server", DatabaseUrl(), LIVE,
        "A database; further ones are read when one does not answer.", is_many=True)
    statement: str = setting(
        "", "statement", RowsStatement(), LIVE,
        "The statement of SQL, in double quotes. Its columns have the names of those of `signalbox routes import`: "
        "prefix and action, and as needed priority, weight, strip, prepend, translation, condition.")
    every_s: int = setting(
        300, "every", Integer(1, 86400, "seconds"), LIVE, "How often the table is read, from begin to begin.")
    timeout_s: int = setting(
        60, "timeout", Integer(1, 3600, "seconds"), LIVE, "How long a read may take, with the check of its rows.")
    rows_max: int = setting(
        1_000_000, "rows maximum", Integer(1, 20_000_000), LIVE,
        "Rows that the table may have; with more, all are refused.")
    memory_mib: int = setting(
        2048, "memory maximum", Integer(128, 65536, "MiB"), LIVE,
        "Memory that a read may take, beside that of the tables in force. A million rows of which none is like another "
        "one take 1600 MiB.")

    @property
    def is_read(self) -> bool:
        """Does it say what to read?"""
        return bool(self.servers and self.statement)
# fmt: on
