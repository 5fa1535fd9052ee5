"""The table of bindings: address-of-record -> the contacts that are registered for it now.

RFC 3261 10 and 16.5 (the location service), RFC 5627 (instances), RFC 5626 (reg-id).

Every worker holds the whole table, so the table is a replicated map: of two records of one binding the later one wins
(binding.py has the order, and says what a tombstone is).

Addresses-of-record lie in 256 ranges by a checksum, each with a digest (digests.py). Ends are found by buckets of one
second: a refresh leaves a binding in the bucket where it lies, and it is moved when that comes due.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final

from appliance.location.binding import Binding
from appliance.location.binding import BindingChange as BindingChange
from appliance.location.range_digests import RANGES, RECENT_SECONDS, Digests
from appliance.location.record_version import second_of
from appliance.sip.fnv import fnv

NEVER_S: Final = 1 << 40
AHEAD_S: Final = 60  # an end this much beyond the longest lifetime comes from a clock that was wrong
STALE_MIN: Final = 8
SHARED_MAX: Final = 4096  # distinct texts that bindings share; at the limit sharing begins anew
# What _mixed() multiplies by: odd numbers whose bits look random (the first is 2**64 over the golden ratio).
_SPREAD_NAME: Final = 0x9E3779B97F4A7C15
_SPREAD_VERSION: Final = 0xD1342543DE82EF95
_STIR_ONCE: Final = 0xBF58476D1CE4E5B9
_STIR_AGAIN: Final = 0x94D049BB133111EB
_HASH_BITS: Final = 0xFFFFFFFFFFFFFFFF


class BindingTable:
    """All bindings. `limit`: live bindings; as many dead ones again may wait to be forgotten. `tombstones_max`: of
    one address. `lifetime_max_s`: what is to end later ends then (the clock was wrong when it was stored).

    The table keeps Binding objects of its own and refreshes them in place: what find() gives is a live view.
    """

    __slots__ = (
        "_buckets",
        "_clock",
        "_digests",
        "_due",
        "_ranges",
        "_shared",
        "_stale",
        "_stale_in",
        "_swept",
        "_tombstones",
        "lifetime_max_s",
        "limit",
        "live",
        "tombstones_max",
    )

    def __init__(self, limit: int, tombstones_max: int = 20) -> None:
        self.limit = limit
        self.lifetime_max_s = NEVER_S
        self.tombstones_max = tombstones_max
        self.live = 0
        self._tombstones = 0
        self._digests = Digests()
        self._ranges: list[dict[bytes, Binding | list[Binding]]] = [{} for _ in range(RANGES)]
        self._buckets: dict[int, list[Binding]] = {}
        self._due: list[int] = []
        # Entries of buckets that are for nothing any more: of each bucket, and in all.
        self._stale_in: dict[int, int] = {}
        self._stale = 0
        self._clock = 0  # the last second that expire() was told of
        self._swept = 0  # the last second whose ends are all dealt with
        self._shared: dict[bytes, bytes] = {}

    def __len__(self) -> int:
        return self.live

    @property
    def tombstones(self) -> int:
        """Dead bindings that are remembered so that late copies of them stay dead."""
        return self._tombstones

    @property
    def leftovers(self) -> int:
        """Entries of buckets whose bindings are gone, or lie in another one."""
        return self._stale

    @property
    def is_full(self) -> bool:
        """No room for a new binding. Changes that were accepted elsewhere are applied all the same."""
        return self.live >= self.limit or self._tombstones >= self.limit

    def find(self, aor: bytes, wall_time: float, instance: bytes = b"") -> list[Binding]:
        """The live bindings of an address, highest q first, then the newest; or the one of an instance."""
        table = self._ranges[range_of(aor)]
        held = table.get(aor)
        if held is None:
            return []
        if isinstance(held, Binding):
            only: Binding = held
            return [only] if only.expires_at > wall_time and (not instance or only.instance == instance) else []
        found = [binding for binding in held if binding.expires_at > wall_time]
        if instance:
            # RFC 5627 6.1: of several contacts of one instance, the one refreshed last, and no other.
            same = [binding for binding in found if binding.instance == instance]
            return [max(same, key=_version)] if same else []
        found.sort(key=_preference, reverse=True)
        return _one_flow_each(found)

    def others_of_instance(self, binding: Binding, wall_time: float) -> list[Binding]:
        """The other live bindings of its instance, the newest first: over other flows (RFC 5626 7), or left from before
        the phone restarted (RFC 5627 6.1).
        """
        held = self._ranges[range_of(binding.aor)].get(binding.aor)
        if held is None or isinstance(held, Binding):
            return []
        return sorted((other for other in held if _is_spare(other, binding, wall_time)), key=_version, reverse=True)

    def entries(self, aor: bytes) -> list[Binding]:
        """Everything that is remembered of an address, tombstones included, in no order."""
        table = self._ranges[range_of(aor)]
        held = table.get(aor)
        if held is None:
            return []
        return [held] if isinstance(held, Binding) else held.copy()

    def apply(self, change: BindingChange) -> bool:
        """Make a change visible. Returns whether it changed anything: an older or known record does not."""
        changed = False
        for binding in change.bindings:
            if self.apply_binding(binding):
                changed = True
        return changed

    def apply_binding(self, binding: Binding) -> bool:
        """The same for one record. The object must not be used by the caller afterwards, except to read it."""
        latest = self._clock + self.lifetime_max_s
        if binding.forget_at > latest + AHEAD_S:
            binding.forget_at = latest
            binding.expires_at = min(binding.expires_at, binding.forget_at)
        place = range_of(binding.aor)
        table = self._ranges[place]
        held = table.get(binding.aor)
        old = _with_key(held, binding.key)
        if old is None:
            if int(binding.forget_at) < self._swept:
                return False  # was over before it came
            self._insert(place, held, binding)
            return True
        if old is binding or not binding.comes_after(old):
            return False
        difference = _hash(old) ^ _hash(binding)
        self._digests.note(_second_of(binding), place, difference, self._clock)
        self._refresh(old, binding)
        if old.expires_at <= 0:
            self._bound_tombstones(place, old)
        return True

    def _insert(self, place: int, held: Binding | list[Binding] | None, binding: Binding) -> None:
        self._digests.note(_second_of(binding), place, _hash(binding), self._clock)
        self._share_texts(binding)
        if held is None:
            self._ranges[place][binding.aor] = binding
        elif isinstance(held, Binding):
            binding.aor = held.aor
            self._ranges[place][held.aor] = [held, binding]
        else:
            binding.aor = held[0].aor
            held.append(binding)
        binding.bucket = 0
        binding.is_counted = binding.expires_at > 0 and int(binding.expires_at) >= self._swept
        self._count(binding.is_counted, 1)
        self._schedule(binding)
        if binding.expires_at <= 0:
            self._bound_tombstones(place, binding)

    def _refresh(self, old: Binding, new: Binding) -> None:
        """Take over what the newer record says, and keep the texts that did not change (they are shared)."""
        if new.uri != old.uri:
            old.uri = new.uri
        if new.parameters != old.parameters:
            old.parameters = new.parameters
        if new.call_id != old.call_id:
            old.call_id = new.call_id
        if new.path_text != old.path_text:
            old.path_text = new.path_text
        if new.instance != old.instance:
            old.instance = new.instance
        if new.source_ip != old.source_ip:
            old.source_ip = new.source_ip
        if new.user_agent != old.user_agent:
            old.user_agent = new.user_agent
        old.source_port = new.source_port
        old.transport = new.transport
        old.listener = new.listener
        old.process = new.process
        old.connection = new.connection
        old.q = new.q
        old.cseq = new.cseq
        old.reg_id = new.reg_id
        old.expires_at = new.expires_at
        old.forget_at = new.forget_at
        old.series = new.series
        old.version = new.version
        is_counted = new.expires_at > 0 and int(new.expires_at) >= self._swept
        if is_counted != old.is_counted:
            self._count(old.is_counted, -1)
            self._count(is_counted, 1)
            old.is_counted = is_counted
        self._schedule(old)

    def _share_texts(self, binding: Binding) -> None:
        shared = self._shared
        if len(shared) >= SHARED_MAX:
            shared.clear()
        if binding.key == binding.uri:
            binding.key = binding.uri
        binding.user_agent = shared.setdefault(binding.user_agent, binding.user_agent)
        if binding.path_text:
            binding.path_text = shared.setdefault(binding.path_text, binding.path_text)
        if not binding.instance:
            binding.parameters = shared.setdefault(binding.parameters, binding.parameters)

    def _count(self, is_counted: bool, step: int) -> None:
        if is_counted:
            self.live += step
        else:
            self._tombstones += step

    # The end of bindings

    def _schedule(self, binding: Binding) -> None:
        """See that the binding lies in a bucket no later than its next event: the end of its life, or of its memory."""
        at = binding.expires_at if binding.is_counted else binding.forget_at
        second = int(at) + 1
        if 0 < binding.bucket <= second:
            return
        if binding.bucket > 0:
            self._leave(binding, second)
        bucket = self._buckets.get(second)
        if bucket is None:
            self._buckets[second] = [binding]
            heappush(self._due, second)
        else:
            bucket.append(binding)
        binding.bucket = second

    def _leave(self, binding: Binding, bucket: int) -> None:
        """Let the binding lie in another bucket, or in none (-1). Where half of a bucket is stale, it is cleaned."""
        left = binding.bucket
        binding.bucket = bucket
        stale = self._stale_in.get(left, 0) + 1
        self._stale += 1
        self._stale_in[left] = stale
        held = self._buckets[left]
        if stale > STALE_MIN and 2 * stale > len(held):
            self._buckets[left] = [entry for entry in held if entry.bucket == left]
            self._stale -= self._stale_in.pop(left)

    def expire(self, wall_time: float, limit: int) -> int:
        """Let go what is over: looks at no more than `limit` entries. Returns how many live bindings ended."""
        now_second = int(wall_time)
        if now_second < self._swept - RECENT_SECONDS:
            self._set_back(now_second)
        self._clock = max(self._clock, now_second)
        ended = 0
        due = self._due
        while due and due[0] <= now_second and limit > 0:
            second = due[0]
            bucket = self._buckets[second]
            self._stale -= self._stale_in.pop(second, 0)
            while bucket and limit > 0:
                limit -= 1
                binding = bucket.pop()
                if binding.bucket == second:
                    ended += self._end(binding, second)
            if not bucket:
                heappop(due)
                del self._buckets[second]
        if (not due or due[0] > now_second) and now_second > self._swept:
            self._swept = now_second
        return ended

    def _set_back(self, second: int) -> None:
        """The clock was set back to `second`: what begins from now on is neither over nor old."""
        self._swept = self._clock = second
        self._digests.set_back(second)

    def _end(self, binding: Binding, second: int) -> int:
        ended = 0
        if binding.is_counted:
            if int(binding.expires_at) >= second:  # refreshed since it was put here
                binding.bucket = 0
                self._schedule(binding)
                return 0
            ended = 1
            self._count(True, -1)
            self._count(False, 1)
            binding.is_counted = False
        if int(binding.forget_at) >= second:
            binding.bucket = 0
            self._schedule(binding)
            return ended
        place = range_of(binding.aor)
        self._digests.note(int(binding.forget_at) + 1, place, _hash(binding), self._clock)
        binding.bucket = 0
        self._drop(place, binding)
        return ended

    def _drop(self, place: int, binding: Binding) -> None:
        if binding.bucket > 0:
            self._leave(binding, -1)
        self._count(binding.is_counted, -1)
        held = self._ranges[place][binding.aor]
        if isinstance(held, Binding):
            del self._ranges[place][binding.aor]
            return
        held.remove(binding)
        if len(held) == 1:
            self._ranges[place][binding.aor] = held[0]

    def _bound_tombstones(self, place: int, newest: Binding) -> None:
        """Of one address, the tombstones that come last in the order are kept: the same ones in every table."""
        held = self._ranges[place][newest.aor]
        if isinstance(held, Binding) or len(held) <= self.tombstones_max:
            return
        tombstones = [binding for binding in held if binding.expires_at <= 0]
        if len(tombstones) > self.tombstones_max:
            victim = min(tombstones, key=_age)
            self._digests.note(_second_of(victim), place, _hash(victim), self._clock)
            self._drop(place, victim)

    # Ranges and digests

    @property
    def settled_second(self) -> int:
        """The last second (unix time) whose ends of bindings are all dealt with."""
        return self._swept

    @property
    def digests(self) -> list[int]:
        """The 256 digests as they are now."""
        return self._digests.now

    @property
    def newest_second(self) -> int:
        """The last second (unix time) from which anything is known here."""
        return max(self._swept, self._digests.newest)

    def digests_at(self, second: int) -> list[int]:
        """The 256 digests without what is dated after `second` (unix time); [] where they cannot be known."""
        return [] if second > self._swept else self._digests.at(second)

    def aors_of_range(self, place: int) -> list[bytes]:
        """The addresses-of-record that lie in a range."""
        return list(self._ranges[place])


def range_of(aor: bytes) -> int:
    """The range, 0..255, that an address-of-record lies in."""
    return fnv(aor) & 255


def _with_key(held: Binding | list[Binding] | None, key: bytes) -> Binding | None:
    if held is None:
        return None
    if isinstance(held, Binding):
        only: Binding = held
        return only if only.key == key else None
    for binding in held:
        if binding.key == key:
            return binding
    return None


def _is_spare(other: Binding, binding: Binding, wall_time: float) -> bool:
    return (
        other is not binding
        and other.expires_at > wall_time
        and other.instance == binding.instance
        and (other.reg_id != 0) == (binding.reg_id != 0)
    )


def _one_flow_each(found: list[Binding]) -> list[Binding]:
    """RFC 5626 7: of an instance that registered over several flows, only the newest is a target."""
    newest: dict[bytes, Binding] = {}
    for binding in found:
        if binding.reg_id:
            known = newest.get(binding.instance)
            if known is None or binding.version > known.version:
                newest[binding.instance] = binding
    if not newest:
        return found
    return [binding for binding in found if not binding.reg_id or newest[binding.instance] is binding]


def _preference(binding: Binding) -> tuple[int, int]:
    return (binding.q, binding.version)


def _age(binding: Binding) -> tuple[int, int, int]:
    return (binding.series, binding.cseq, binding.version)


def _version(binding: Binding) -> int:
    return binding.version


def _second_of(binding: Binding) -> int:
    return second_of(binding.version)


def _hash(binding: Binding) -> int:
    """64 bits that name this record (aor, key, Call-ID, version); XORed of many they tell sets apart."""
    return _mixed(fnv(binding.call_id, fnv(binding.key, fnv(binding.aor))), binding.version)


def _mixed(name: int, version: int) -> int:
    mixed = (name * _SPREAD_NAME + version * _SPREAD_VERSION) & _HASH_BITS
    mixed = ((mixed ^ (mixed >> 30)) * _STIR_ONCE) & _HASH_BITS
    mixed = ((mixed ^ (mixed >> 27)) * _STIR_AGAIN) & _HASH_BITS
    return mixed ^ (mixed >> 31)
