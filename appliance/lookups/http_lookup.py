"""Lookups by HTTP: a GET whose URL has the values, or a POST with them as JSON; the answer is JSON.

    {"targets": ["sip:gw1.example.com", {"uri": "sip:alice@example.com", "q": 0.5}]}
    {"targets": ["sip:alice@example.net"], "redirect": true}
    {"reject": {"status": 403, "reason": "Not Allowed"}}
    {"registrar": true}
    {"table": "east"}
    {"targets": []}                 nothing is known of the number; so is 204

Any other answer says nothing: a 404 may be that of another service. Redirections are not followed.
"""

from __future__ import annotations

import json
import ssl
from contextlib import suppress
from typing import Any, Final

import httpx

from appliance.catalogue.lookup_settings import LookupSettings
from appliance.catalogue.lookup_values import placeholders_in
from appliance.lookups.lookup_client import ANSWER_LEN_MAX, AnswerUnusable, ServerFailed
from appliance.lookups.secret_file import first_line
from appliance.routing.lookup_results import RESULTS_MAX
from appliance.routing.lookup_templates import LookupValues, filled, in_url

KEEPALIVE_S: Final = 60.0
Json = Any


class HttpClient:
    """Asks one server (lookup_client.py)."""

    def __init__(self, server: str, settings: LookupSettings) -> None:
        self._server = server
        self._settings = settings
        self._client: httpx.AsyncClient | None = None
        with suppress(ServerFailed):  # tried again when it is asked
            self._client = self._made()

    async def find(self, values: LookupValues) -> list[str]:
        """What the server says. Raises ServerFailed and AnswerUnusable."""
        if self._client is None:
            self._client = self._made()
        try:
            async with self._client.stream(**self._request(values)) as response:
                if response.status_code == httpx.codes.NO_CONTENT:
                    return []
                if response.status_code != httpx.codes.OK:
                    raise _failure_of(response.status_code)
                return results_in(await _body_of(response))
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as fault:
            raise ServerFailed(f"{type(fault).__name__}: {fault}") from None

    def _request(self, values: LookupValues) -> dict[str, Any]:
        if placeholders_in(self._server):
            return {"method": "GET", "url": filled(self._server, values, in_url)}
        named = values.by_name()
        del named["digits"]
        return {"method": "POST", "url": self._server, "json": named}

    def _made(self) -> httpx.AsyncClient:
        settings = self._settings
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "signalbox"}
        if settings.secret_file:
            headers["Authorization"] = first_line(settings.secret_file)
        try:
            context = ssl.create_default_context(cafile=settings.authorities or None)
        except OSError as fault:
            raise ServerFailed(f"the certificates {settings.authorities} cannot be read: {fault}") from None
        limits = httpx.Limits(max_connections=settings.concurrency, keepalive_expiry=KEEPALIVE_S)
        timeout = httpx.Timeout(settings.timeout_ms / 1000)
        # Proxies that the environment names are for other programs.
        return httpx.AsyncClient(headers=headers, verify=context, limits=limits, timeout=timeout, trust_env=False)

    def close(self) -> None:
        """Its connections end with the loop that it belongs to."""
        self._client = None


def _failure_of(status: int) -> ServerFailed | AnswerUnusable:
    reason = f"the server answered {status}"
    return ServerFailed(reason) if status >= 500 or status == 429 else AnswerUnusable(reason)


async def _body_of(response: httpx.Response) -> bytes:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise AnswerUnusable("the answer is compressed")
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > ANSWER_LEN_MAX:
            raise AnswerUnusable(f"the answer is longer than {ANSWER_LEN_MAX} octets")
        parts.append(part)
    return b"".join(parts)


def results_in(body: bytes) -> list[str]:
    """The actions in an answer. Raises AnswerUnusable."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise AnswerUnusable("the answer is not JSON") from None
    if not isinstance(answer, dict):
        raise AnswerUnusable("the answer is no JSON object")
    if "reject" in answer:
        return [_rejection(answer["reject"])]
    if answer.get("registrar") is True:
        return ["registrar"]
    if isinstance(answer.get("table"), str):
        return [f"table {answer['table']}"]
    if not isinstance(answer.get("targets"), list):
        raise AnswerUnusable("the answer has no list `targets`")
    before = "redirect " if answer.get("redirect") is True else ""
    targets = [_target(target) for target in answer["targets"][:RESULTS_MAX]]
    return [before + uri for _, uri in sorted(targets, key=lambda target: -target[0])]


def _rejection(value: Json) -> str:
    status = value.get("status") if isinstance(value, dict) else None
    reason = value.get("reason", "") if isinstance(value, dict) else None
    if type(status) is not int or not isinstance(reason, str):
        raise AnswerUnusable("`reject` has no status, or its reason is no text")
    return f"reject {status} {reason}".rstrip()


def _target(value: Json) -> tuple[float, str]:
    """(q, URI) of a target."""
    if isinstance(value, str):
        return 1.0, value
    uri: Json = value.get("uri") if isinstance(value, dict) else None
    q: Json = value.get("q", 1.0) if isinstance(value, dict) else None
    if not isinstance(uri, str) or type(q) not in (int, float) or not 0 <= q <= 1:
        raise AnswerUnusable("a target is neither a URI, nor an object with `uri` and perhaps `q`")
    return float(q), uri
