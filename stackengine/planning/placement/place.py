"""Places everything that a plan wants at once, the largest first, so that what is hard to place finds room."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stackengine.planning.placement.candidates import Candidate, HostFacts, Ratios, Wanted
from stackengine.planning.placement.filters import FILTERS
from stackengine.planning.placement.weighers import WEIGHERS

SCHEDULERS = ("filter", "simple", "chance")
"""``filter``: by filters and weighers; ``simple``: the host with the least load that can take it; ``chance``: any that can take it."""
_Entry = tuple[float, int, int]
"""(negated score, index, version of the candidate)."""


@dataclass(slots=True)
class Placement:
    """Where everything goes, and why not elsewhere."""

    on: dict[str, str] = field(default_factory=dict)
    """Path -> host."""
    rejected: dict[str, dict[str, str]] = field(default_factory=dict)
    """Path -> host -> why not, for what found no host, and for single servers."""

    def reasons(self, path: str) -> str:
        """Why no host took it, hosts of one reason together."""
        by_reason: dict[str, list[str]] = {}
        for uri, reason in self.rejected.get(path, {}).items():
            by_reason.setdefault(reason, []).append(uri)
        return "; ".join(f"{', '.join(uris[:3])}{f' and {len(uris) - 3} more' if len(uris) > 3 else ''}: {reason}" for reason, uris in by_reason.items())


def place(wanted: Iterable[Wanted], hosts: Sequence[HostFacts], scheduler: str = "filter", ratios: Ratios | None = None, seed: bytes = b"") -> Placement:
    """Place all; what fits nowhere is in ``rejected`` only. Equal input gives equal output, ``chance`` too (by ``seed``)."""
    round_ = _Round([Candidate(facts, ratios or Ratios()) for facts in hosts], scheduler, seed)
    for one in sorted(wanted, key=lambda w: (-w.memory, -w.vcpus, w.path)):
        round_.place(one)
    return round_.placement


class _Round:
    """One run; for each shape a heap of the hosts that can take it, whose stale entries are looked at again when they come up."""

    def __init__(self, candidates: list[Candidate], scheduler: str, seed: bytes) -> None:
        self._candidates, self._scheduler, self._seed = candidates, scheduler, seed
        self._heaps: dict[tuple[object, ...], list[_Entry]] = {}
        self._homes = {group: index for index, c in enumerate(candidates) for group in c.groups}
        self.placement = Placement()

    def place(self, wanted: Wanted) -> None:
        """Find it a host and take what it needs there."""
        home = self._homes.get(wanted.together) if wanted.together else None
        chosen = self._best(wanted) if home is None else home if not _refusal(self._candidates[home], wanted) else None
        if chosen is None:
            others = {c.facts.uri: _refusal(c, wanted) or f"it has no member of {wanted.together}" for c in self._candidates}
            self.placement.rejected[wanted.path] = others
            return
        if wanted.together:
            self._homes[wanted.together] = chosen
        self._candidates[chosen].take(wanted)
        self.placement.on[wanted.path] = self._candidates[chosen].facts.uri

    def _best(self, wanted: Wanted) -> int | None:
        if self._scheduler == "chance":
            return self._any(wanted)
        if wanted.likes:  # hosts get better as members come: what was weighed before says nothing
            able = [self._entry(index, wanted) for index, c in enumerate(self._candidates) if not _refusal(c, wanted)]
            return min(able)[1] if able else None
        heap = self._heaps.get(wanted.shape)
        if heap is None:
            heap = [self._entry(index, wanted) for index, c in enumerate(self._candidates) if not _refusal(c, wanted)]
            heapq.heapify(heap)
            self._heaps[wanted.shape] = heap
        while heap:
            _, index, version = heap[0]
            candidate = self._candidates[index]
            if candidate.version == version:
                return index
            if _refusal(candidate, wanted):
                heapq.heappop(heap)
            else:
                heapq.heapreplace(heap, self._entry(index, wanted))
        return None

    def _entry(self, index: int, wanted: Wanted) -> _Entry:
        host = self._candidates[index]
        if self._scheduler == "simple":
            return -WEIGHERS[0][1](host, wanted), index, host.version
        return -sum(weight * weigh(host, wanted) for weight, weigh in WEIGHERS), index, host.version

    def _any(self, wanted: Wanted) -> int | None:
        count = len(self._candidates)
        digest = hashlib.sha256(self._seed + wanted.path.encode()).digest()
        start = int.from_bytes(digest[:8], "big") % count if count else 0
        return next((i for n in range(count) if not _refusal(self._candidates[i := (start + n) % count], wanted)), None)


def _refusal(host: Candidate, wanted: Wanted) -> str:
    for refuse in FILTERS:
        reason = refuse(host, wanted)
        if reason:
            return reason
    return ""
