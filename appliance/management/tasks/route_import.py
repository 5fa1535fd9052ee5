"""Rows of route tables from a file of an operator: all tables, or for an operator of a region those of the region."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any, Final

from appliance.catalogue.settings import Settings
from appliance.management.appliance_client import Call
from appliance.management.errors import Refused
from appliance.management.region_rights import region_of
from appliance.routing.route_csv import read_csv
from appliance.routing.route_file import RouteFileWriter
from appliance.routing.route_references import Configured, References
from appliance.routing.route_rows import RoutesRefused
from appliance.storage.route_changes import replace_others
from appliance.storage.route_store import RouteStore, RouteStoreFault

Result = dict[str, Any]
TEXT_LEN_MAX: Final = 15 * 1024 * 1024


async def import_routes(call: Call) -> Result:
    """Put the rows of a text in force. Raises Refused, with the first faults."""
    text = call.args.text("text", len_max=TEXT_LEN_MAX)
    client = call.client
    version = await asyncio.to_thread(put_in_force, text, call.session.region, client.settings, client.state_dir)
    return {"text": f"Routes version {version} is in force.", "number": version}


def put_in_force(text: str, region: str, settings: Settings, state_dir: Path) -> int:
    """The number of the new version. `region`: whose tables are replaced; "" for all. Raises Refused."""
    configured, store = Configured(settings), RouteStore(state_dir)
    own = region_of(settings, region) if region else None

    def read(others: References) -> RouteFileWriter:
        return read_csv(io.StringIO(text, newline=""), configured, others, own)

    def stays(table: str) -> bool:
        return table in configured.read_tables or (own is not None and table not in own.tables)

    try:
        return replace_others(store, read, stays)
    except RoutesRefused as refused:
        sentence = " ".join(["The rows are refused, and the routes are unchanged.", *refused.faults])
        raise Refused(sentence, "correct these lines") from None
    except RouteStoreFault as fault:
        raise Refused(str(fault), "see `show route-table`") from None
