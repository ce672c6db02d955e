"""The walk over a plan: which actions may start. No clock, thread or host."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from stackengine.planning.plan import Action, Plan

_LEVEL = {"configured": 1, "ready": 2, "done": 2}


class Walk:
    """Hands out actions whose predecessors have got far enough; longest path first. The cleanup tail starts when all else succeeded."""

    def __init__(self, plan: Plan) -> None:
        self._actions = plan.actions
        self._missing: dict[str, int] = {}
        self._followers: dict[str, list[tuple[str, int]]] = {}
        self._level: dict[str, int] = {}
        self._head = sum(1 for a in plan.actions.values() if a.phase != "tail")
        self._open = len(plan.actions)
        self._running: set[str] = set()
        self._broken = False
        self._blocked: set[str] = set()
        for action in plan.actions.values():
            self._missing[action.id] = len(action.after)
            for edge in action.after:
                self._followers.setdefault(edge.action, []).append((action.id, _LEVEL[edge.need]))
        self._weight = _longest_paths(plan)
        self._queue: list[tuple[int, str]] = []
        self._tail: list[str] = []
        for action in plan.actions.values():
            if not self._missing[action.id]:
                self._offer(action.id)
        self._open_tail()

    def _offer(self, id_: str) -> None:
        if self._actions[id_].phase == "tail" and self._head:
            self._tail.append(id_)
        else:
            heapq.heappush(self._queue, (-self._weight[id_], id_))

    def _open_tail(self) -> None:
        if not self._head and not self._broken:
            tail, self._tail = self._tail, []
            for id_ in tail:
                heapq.heappush(self._queue, (-self._weight[id_], id_))

    def ready(self) -> Iterator[Action]:
        """Take what may start now, most urgent first; ``put_back`` what there is no room for."""
        while self._queue:
            _, id_ = heapq.heappop(self._queue)
            if id_ not in self._blocked:
                yield self._actions[id_]

    def put_back(self, action: Action) -> None:
        """Offer ``action`` again later."""
        heapq.heappush(self._queue, (-self._weight[action.id], action.id))

    def start(self, action: Action) -> None:
        """``action`` runs."""
        self._running.add(action.id)

    def reach(self, action: Action, need: str) -> None:
        """``action`` has got to ``configured``, ``ready`` or ``done``; the latter two end it."""
        before, level = self._level.get(action.id, 0), _LEVEL[need]
        self._level[action.id] = level
        for follower, wanted in self._followers.get(action.id, ()):
            if before < wanted <= level:
                self._missing[follower] -= 1
                if not self._missing[follower]:
                    self._offer(follower)
        if level == 2:
            self._running.discard(action.id)
            self._open -= 1
            if action.phase != "tail":
                self._head -= 1
                self._open_tail()

    def fail(self, action: Action) -> None:
        """``action`` failed: everything after it, and the whole tail, will not run."""
        self._running.discard(action.id)
        self._broken = True
        queue = [action.id]
        while queue:
            for follower, _ in self._followers.get(queue.pop(), ()):
                if follower not in self._blocked:
                    self._blocked.add(follower)
                    queue.append(follower)

    def runs(self, id_: str) -> bool:
        """Whether this action was started and has not ended."""
        return id_ in self._running

    @property
    def running(self) -> bool:
        """Whether something runs."""
        return bool(self._running)

    @property
    def complete(self) -> bool:
        """Whether every action ended well."""
        return self._open == 0

    def not_run(self) -> tuple[str, ...]:
        """Actions that did not end."""
        return tuple(i for i in self._actions if self._level.get(i, 0) < 2)


def _longest_paths(plan: Plan) -> dict[str, int]:
    """For each action the number of actions on the longest way to the end (``plan.actions`` is topological)."""
    weight = dict.fromkeys(plan.actions, 1)
    for action in reversed(plan.actions.values()):
        mine = weight[action.id] + 1
        for edge in action.after:
            if weight.get(edge.action, 0) < mine:
                weight[edge.action] = mine
    return weight
