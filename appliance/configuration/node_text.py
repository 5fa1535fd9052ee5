"""The text of the configuration that the processes of one node of a cluster go by."""

from __future__ import annotations

from appliance.catalogue.node_settings import settings_of_node
from appliance.configuration.text import parse_configuration, write_configuration


def text_of_node(text: str, name: str) -> str:
    """The configuration with the addresses of the node in its listeners. Raises ConfigError."""
    settings = parse_configuration(text)
    own = settings_of_node(settings, name)
    return text if own == settings else write_configuration(own)
