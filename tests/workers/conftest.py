"""How a scenario is played beside a worker, or beside its streams alone, on both event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from appliance.messages.bus_messages import SlotsChanged
from appliance.messages.slots import deal
from appliance.transport.flow import TCP
from tests.certificate_authority import CertificateAuthority
from tests.workers.streams_bench import Node, Scenario
from tests.workers.tls_bench import SecureNode

if TYPE_CHECKING:
    from tests.workers.bench import Bench, Play

PATIENCE_S = 60.0


@pytest.fixture(params=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Play:
    """Runs a scenario beside a worker, stops it unless it has ended, and gives its exit code."""
    # It needs the batch reader, which other tests in this folder do not.
    from tests.workers.bench import Bench

    def run(scenario: Callable[[Bench], Coroutine[Any, Any, None]], is_placed: bool = True) -> int:
        async def whole() -> int:
            bench = Bench(tmp_path)
            listening = {(place, TCP): endpoint for place, endpoint in enumerate(bench.tcp)}
            running = asyncio.ensure_future(bench.worker.run(listening))
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await asyncio.sleep(0)
                    if is_placed:
                        await bench.order(SlotsChanged(deal([0]), [0]))
                    await scenario(bench)
                    bench.worker.stop()
                    code = await running
                assert bench.table.is_closed
                return code
            finally:
                running.cancel()
                await asyncio.wait((running,))
                bench.close()

        loop_factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(whole())

    return run


@pytest.fixture(params=["asyncio", "uvloop"])
def play_streams(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Runs a scenario with a node that listens, on one of the event loops."""

    def run(scenario: Scenario, listener: int = 0, node: Node | None = None, **limits: int) -> None:
        async def whole() -> None:
            played = node or Node(**limits)
            await played.listen(listener)
            try:
                await scenario(played)
            finally:
                played.streams.close()
                await asyncio.sleep(0)

        loop_factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(whole())

    return run


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def play_tls(
    play_streams: Callable[..., None], authority: CertificateAuthority
) -> Callable[..., None]:
    def run(scenario: Callable[[SecureNode], object], **limits: int) -> None:
        play_streams(scenario, node=SecureNode(authority, **limits))

    return run
