"""Machines that stood still are found by clocks that did not."""

from __future__ import annotations

from appliance.cluster.leases.clock_jumps import ClockJumps


class Clocks:
    def __init__(self) -> None:
        self.monotonic, self.boot, self.unix = 100.0, 200.0, 1_700_000_000.0

    def read(self) -> tuple[float, float, float]:
        return self.monotonic, self.boot, self.unix

    def run(self, seconds: float, boot_more: float = 0.0, unix_more: float = 0.0) -> None:
        self.monotonic += seconds
        self.boot += seconds + boot_more
        self.unix += seconds + unix_more


def test_time_that_passes_is_no_jump() -> None:
    clocks = Clocks()
    jumps = ClockJumps(clocks.read)
    clocks.run(3600, unix_more=0.01)
    assert not jumps.has_jumped()


def test_a_machine_that_was_suspended() -> None:
    clocks = Clocks()
    jumps = ClockJumps(clocks.read)
    clocks.run(0.02, boot_more=30)
    assert jumps.has_jumped()
    assert not jumps.has_jumped()


def test_unix_time_that_was_set_forward_may_mean_that_the_machine_was_paused() -> None:
    clocks = Clocks()
    jumps = ClockJumps(clocks.read)
    clocks.run(0.02, unix_more=600)
    assert jumps.has_jumped()


def test_unix_time_that_was_set_back_means_nothing() -> None:
    clocks = Clocks()
    jumps = ClockJumps(clocks.read)
    clocks.run(0.02, unix_more=-600)
    assert not jumps.has_jumped()


def test_a_process_that_is_held_up_between_two_clocks_reads_them_again() -> None:
    clocks = Clocks()
    jumps = ClockJumps(clocks.read)
    held_up = [(100.0, 200.0, 1_700_000_000.9), (100.9, 200.9, 1_700_000_000.9)]
    jumps._clocks = lambda: held_up.pop(0) if held_up else (100.9, 200.9, 1_700_000_000.9)
    assert not jumps.has_jumped()
