"""A role is a list of stages for requests and one for responses; the roles of the appliance on one screen."""

from __future__ import annotations

from typing import Final

from appliance.proxy.response_stages.bind_dialog import bind_dialog
from appliance.proxy.response_stages.keep_privacy import keep_privacy
from appliance.proxy.response_stages.recurse import recurse
from appliance.proxy.response_stages.set_flow_timer import set_flow_timer
from appliance.proxy.stage_chain import Role, Stage
from appliance.proxy.stages.admit_ack import admit_ack
from appliance.proxy.stages.assert_identity import assert_identity
from appliance.proxy.stages.authenticate import authenticate
from appliance.proxy.stages.detect_loops import detect_loops
from appliance.proxy.stages.locate import locate
from appliance.proxy.stages.loose_route import loose_route
from appliance.proxy.stages.options import answer_options
from appliance.proxy.stages.record_path import record_path
from appliance.proxy.stages.record_route import record_route
from appliance.proxy.stages.redirect import redirect
from appliance.proxy.stages.register import register
from appliance.proxy.stages.relay import relay
from appliance.proxy.stages.remove_credentials import remove_credentials
from appliance.proxy.stages.route import route
from appliance.proxy.stages.tel_uri import adapt_tel_uri
from appliance.proxy.stages.throttle import throttle
from appliance.proxy.stages.validate import validate

# Registrar and proxy of its domains' users.
USER: Final = Role(
    (
        validate,
        loose_route,
        throttle,
        detect_loops,
        authenticate,
        remove_credentials,
        assert_identity,
        register,
        answer_options,
        locate,
        relay,
        record_path,
        record_route,
    ),
    (
        recurse,
        bind_dialog,
        keep_privacy,
        set_flow_timer,
    ),
)

# Between networks: numbers go by the route tables (docs/routing.md); what they do not name is a user.
CORE: Final = Role(
    (
        adapt_tel_uri,
        validate,
        loose_route,
        throttle,
        detect_loops,
        authenticate,
        remove_credentials,
        assert_identity,
        register,
        answer_options,
        route,
        locate,
        relay,
        record_path,
        record_route,
    ),
    USER.response_stages,
)

# RFC 3261 8.3: the caller is told where to call.
REDIRECT: Final = Role((*CORE.stages[:-2], redirect), USER.response_stages)

ROLES: Final[dict[str, Role]] = {"user": USER, "core": CORE, "redirect": REDIRECT}

# What an ACK, or a CANCEL that matches nothing, goes through (RFC 3261 16.11).
STATELESS: Final[tuple[Stage, ...]] = (
    validate,
    loose_route,
    admit_ack,
    detect_loops,
    remove_credentials,
    assert_identity,
    locate,
    relay,
)
