"""The settings of a flow: defaults of the catalogue, and what the file's `listener` and `setting` lines say."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from appliance.catalogue.certificate_settings import CertificateSettings
from appliance.catalogue.routing_settings import DomainRouteSettings, RoutePolicySettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.catalogue.transports import TRANSPORTS
from appliance.configuration.text import parse_configuration
from appliance.routing.route_csv import read_csv
from appliance.routing.route_rows import COLUMNS
from appliance.routing.route_tables import RouteTables
from tests.flows.script import Step

DOMAIN = "example.com"
DEFAULT_LISTENER = ListenerSettings(name="main", address="192.0.2.1", relay="none", authenticate=False)
# The sections that a flow may have, as attributes of the settings.
SECTIONS = ("conditions", "lookups", "translations")
TRANSPORT_NUMBERS = {row.name: row.number for row in TRANSPORTS}
# What a listener with TLS names; its files are never read here.
CERTIFICATE = CertificateSettings(name="own", chain="/chain.pem", key="/key.pem")


NAMES = ("translation", "condition")


def settings_of(givens: list[Step]) -> Settings:
    """What `listener` and `setting` lines make of the default settings."""
    listeners = [_listener(step) for step in givens if step.kind == "listener"]
    settings = Settings(
        domains=(DOMAIN,), listeners=tuple(listeners) or (DEFAULT_LISTENER,), certificates=(CERTIFICATE,)
    )
    for step in givens:
        if step.kind == "setting":
            settings = with_setting(settings, step.words["path"].split("."), step.words["value"])
    policy = RoutePolicySettings()
    for step in givens:
        if step.kind == "policy":
            policy = with_setting(policy, [step.words["attribute"]], step.words["value"])
    domains = tuple(_domain_route(step) for step in givens if step.kind == "domain")
    own = tuple(_policy_of(step) for step in givens if step.kind == "policy_of")
    written = _sections(givens)
    return replace(
        settings,
        route_policies=(policy, *own, *written.route_policies),
        domain_routes=(*domains, *written.domain_routes),
        regions=written.regions,
        **{name: getattr(written, name) for name in SECTIONS},
    )


def _sections(givens: list[Step]) -> Settings:
    """What `section` lines say in the language of the configuration."""
    lines: list[str] = []
    for step in givens:
        if step.kind == "section":
            lines += [step.words["header"], *(f"  {detail}" for detail in step.details)]
    return parse_configuration("\n".join(lines))


def _policy_of(step: Step) -> RoutePolicySettings:
    words = step.words
    return RoutePolicySettings(f"line{step.number}", sources=(words["source"],), tables=(words["table"],))


def _domain_route(step: Step) -> DomainRouteSettings:
    hops = tuple(step.words["hops"].split(","))
    return DomainRouteSettings(step.words["name"], next_hops=hops, subdomains=True, table=step.options.get("table", ""))


def tables_of(givens: list[Step]) -> RouteTables | None:
    """What `route` lines make of empty route tables."""
    rows = [",".join(COLUMNS)]
    for step in givens:
        if step.kind == "route":
            words, options = step.words, step.options
            numbers = (options.get(name, "") for name in ("priority", "weight", "strip", "prepend", *NAMES))
            rows.append(",".join((options.get("table", "default"), words["prefix"], words["action"], *numbers)))
    return RouteTables(memoryview(read_csv(rows).octets())) if len(rows) > 1 else None


def _listener(step: Step) -> ListenerSettings:
    host, _, port = step.words["address"].rpartition(":")
    options = step.options
    return ListenerSettings(
        name=f"line{step.number}",
        address=host.strip("[]"),
        port=int(port),
        transports=tuple(TRANSPORT_NUMBERS[word] for word in step.words["transports"].split()),
        certificates=(CERTIFICATE.name,) if {"tls", "wss"} & set(step.words["transports"].split()) else (),
        authenticate="authenticate" in options,
        assert_identity="assert" in options,
        relay=options.get("relay", "none"),
        role=options.get("role", "user"),
        peers=tuple(options.get("peers", "").split()),
        advertise=options.get("advertise", ""),
    )


def with_setting(settings: Any, path: list[str], text: str) -> Any:
    """A copy of the settings with the value at `path` changed; its kind is that of the old value."""
    name = path[0]
    assert (
        is_dataclass(settings) and not isinstance(settings, type) and name in {field.name for field in fields(settings)}
    ), f"no setting {name}"
    old = getattr(settings, name)
    new = with_setting(old, path[1:], text) if len(path) > 1 else _value_like(old, text)
    return replace(settings, **{name: new})


def _value_like(old: Any, text: str) -> Any:
    if isinstance(old, bool):
        return text == "true"
    if isinstance(old, tuple):
        return tuple(text.split(","))
    return type(old)(text)
