"""Every request of the control socket on one screen: its right, whether it changes something, and its task."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Final

from appliance import clock
from appliance.catalogue.commands import NODE_REQUESTS
from appliance.catalogue.node_parameter import NODE
from appliance.management.appliance_client import Call
from appliance.management.errors import Refused
from appliance.management.sessions import ADMIN, VIEW, is_removed, look_up_rights, removal
from appliance.management.tasks import (
    address_commands,
    completion,
    configuration,
    dns_commands,
    live_output,
    machine_orders,
    route_import,
    route_sources,
    show_certificates,
    show_cluster,
    show_machine,
    show_node,
    show_nodes,
    show_routes,
    show_routing,
    show_tables,
    snmp_commands,
    system_backup,
    tech_support,
    users,
    worker_commands,
)

Task = Callable[[Call], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Request:
    """`is_noted`: it changes something, and is written to the audit log. `is_regional`: an operator who is confined to
    a region may do it, and the task looks at what belongs to that.
    """

    task: Task
    right: str = VIEW
    is_noted: bool = False
    is_regional: bool = False


def _act(task: Task) -> Request:
    return Request(task, ADMIN, True)


def _act_in_region(task: Task) -> Request:
    return Request(task, ADMIN, True, True)


REQUESTS: Final[dict[str, Request]] = {
    "show version": Request(show_node.show_version),
    "show status": Request(show_node.show_status),
    "show workers": Request(show_node.show_workers),
    "show slots": Request(show_node.show_slots),
    "show listeners": Request(show_node.show_listeners),
    "show ip sockets": Request(show_node.show_sockets),
    "show domains": Request(show_node.show_domains),
    "show certificates": Request(show_certificates.show_certificates),
    "show route-table": Request(show_routes.show_route_table),
    "show route-sources": Request(route_sources.show_route_sources),
    "import routes": _act_in_region(route_import.import_routes),
    "refresh route-table": _act_in_region(route_sources.refresh_route_table),
    "show lookups": Request(show_routing.show_lookups),
    "show routing failures": Request(show_routing.show_routing_failures),
    "show routing counters": Request(show_routing.show_routing_counters),
    "clear routing counters": _act(show_routing.clear_routing_counters),
    "show processes": Request(show_node.show_processes),
    "show memory": Request(show_node.show_memory),
    "show clock": Request(show_node.show_clock),
    "show system": Request(show_machine.show_system),
    "show interfaces": Request(show_machine.show_interfaces),
    "show counters": Request(show_node.show_counters),
    "show drops": Request(show_node.show_drops),
    "show alarms": Request(show_node.show_alarms),
    "show alarm history": Request(show_node.show_alarm_history),
    "show authentication failures": Request(show_node.show_authentication_failures),
    "show logging": Request(show_node.show_logging),
    "show audit": Request(show_node.show_audit),
    "show users": Request(users.show_users),
    "active": Request(users.active),
    "show registrations": Request(show_tables.show_registrations),
    "show connections": Request(show_tables.show_connections),
    "show transactions": Request(show_tables.show_transactions),
    "show calls": Request(show_tables.show_calls),
    "show subscribers": Request(show_tables.show_subscribers),
    "show rate-limits": Request(show_tables.show_rate_limits),
    "show cluster": Request(show_cluster.show_cluster),
    "show cluster history": Request(show_cluster.show_cluster_history),
    "show snmp": Request(snmp_commands.show_snmp),
    "show snmp users": Request(snmp_commands.show_snmp_users),
    "show snmp targets": Request(snmp_commands.show_snmp_targets),
    "snmp test-notification": _act(snmp_commands.test_notification),
    "test route": Request(show_tables.test_route),
    "show dns cache": Request(dns_commands.show_cache),
    "show dns hosts": Request(dns_commands.show_hosts),
    "clear dns cache": _act(dns_commands.clear_cache),
    "resolve": Request(dns_commands.resolve),
    "show running-config": Request(configuration.show_running),
    "show startup-config": Request(configuration.show_startup),
    "show commits": Request(configuration.show_commits),
    "show commit": Request(configuration.show_commit),
    "terminal monitor": Request(show_node.terminal_monitor),
    "show tech-support": Request(tech_support.tech_support, ADMIN, True),
    "copy tech-support": Request(tech_support.copy_tech_support, ADMIN, True),
    "debug sip": _act_in_region(live_output.debug_sip),
    "monitor events": _act_in_region(live_output.monitor_events),
    "ping": _act_in_region(live_output.ping),
    "traceroute": _act_in_region(live_output.traceroute),
    "complete": Request(completion.complete),
    "hash secret": Request(completion.hash_secret),
    "check": Request(configuration.check),
    "diff": Request(configuration.diff),
    "rebase": Request(configuration.rebase),
    "commit": _act_in_region(configuration.commit),
    "load": _act_in_region(configuration.load),
    "confirm": _act_in_region(configuration.confirm),
    "rollback": _act_in_region(configuration.rollback),
    "clear registration": _act(show_tables.clear_registration),
    "subscriber add": _act(show_tables.add_subscriber),
    "subscriber password": _act(show_tables.change_password),
    "subscriber remove": _act(show_tables.remove_subscriber),
    "clear authentication failures": _act(show_node.clear_authentication_failures),
    "clear counters": _act(show_node.clear_counters),
    "acknowledge alarm": _act(show_node.acknowledge_alarm),
    "clear logging": _act(show_node.clear_logging),
    "clear session": _act(users.clear_session),
    "drain worker": _act(worker_commands.drain_worker),
    "undrain worker": _act(worker_commands.undrain_worker),
    "restart worker": _act(worker_commands.restart_worker),
    "cluster switchover": _act(address_commands.switch_over),
    "cluster drain": _act(address_commands.drain),
    "cluster undrain": _act(address_commands.undrain),
    "cluster maintenance": _act(address_commands.maintain),
    "cluster rotate-key": _act(address_commands.rotate_key),
    "reload": _act(worker_commands.reload),
    "system reboot": _act(machine_orders.reboot),
    "system shutdown": _act(machine_orders.power_off),
    "system upgrade": _act(machine_orders.upgrade),
    "system shell": _act(machine_orders.shell),
    "system backup": _act(system_backup.backup),
    "reload cancel": _act(worker_commands.cancel_reload),
}


async def obey(do: str, args: dict[str, Any], call: Call) -> dict[str, Any]:
    """Look at the right, do it, and note it. Raises Refused."""
    request = REQUESTS.get(do)
    if request is None:
        raise Refused(f"Unknown request `{do}`.", "see docs/control-socket.md")
    check_right(do, request, call)
    await call.client.look(is_exact=request.right == ADMIN)
    # What was committed meanwhile may have taken the right away.
    check_right(do, request, call)
    if NODE in args and do in NODE_REQUESTS:
        return await show_nodes.show_nodes(do, args, call, request.task)
    if not request.is_noted:
        return await request.task(call)
    return await _noted(do, args, call, request)


def check_right(do: str, request: Request, call: Call) -> None:
    """May the session do this, by the settings in force? Raises Refused; it says which right is left."""
    session = call.session
    look_up_rights(session, call.client.settings)
    if is_removed(session):
        raise Refused(removal(session, call.client.settings), "log in with another account", right=session.right)
    if not session.may(VIEW):
        raise Refused("Not logged in.", "send `login` first", right=session.right)
    if not session.may(request.right):
        raise Refused(f"`{do}` requires privileged mode.", "type `enable` first", right=session.right)
    if session.region and request.right == ADMIN and not request.is_regional:
        remedy = "ask an operator of all regions"
        raise Refused(f"`{do}` is not for operators of region {session.region}.", remedy, right=session.right)


async def _noted(do: str, args: dict[str, Any], call: Call, request: Request) -> dict[str, Any]:
    """What is done is written down; what cannot be written down may not be done."""
    entry = token_hex(4)
    _note(do, args, call, "begun", entry)
    try:
        result = await request.task(call)
    except Refused as refusal:
        _note(do, args, call, f"refused: {refusal.message}", entry)
        raise
    number = result.get("number")
    _note(do, args, call, "done" if number is None else f"done: {number}", entry)
    return result


def _note(do: str, args: dict[str, Any], call: Call, result: str, entry: str) -> None:
    session = call.session
    try:
        call.client.audit.write(clock.wall_time(), session.user, do, args, result, session.place, entry)
    except OSError as fault:
        sentence = f"The audit log cannot be written: {fault.strerror}."
        raise Refused(sentence, "make room in the state folder") from None
