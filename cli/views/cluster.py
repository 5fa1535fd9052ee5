"""The view of a cluster: its figures, then one table each for members, virtual addresses and etcd."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from appliance.catalogue.cluster_commands import CLUSTER
from appliance.catalogue.command_declaration import Shape
from cli.views.tables import draw_rows, draw_scalars


def draw_cluster(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """The result of `show cluster`; a table without rows is left out."""
    yield from draw_scalars(CLUSTER, result)
    for field in CLUSTER:
        if field.shape is Shape.ROWS and result.get(field.name):
            yield ""
            yield from draw_rows(field.fields, result[field.name])
