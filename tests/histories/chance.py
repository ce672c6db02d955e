"""What goes wrong, and in which order things happen: decided by one seeded source, so that every history can be run again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from stackengine.hosts.memory.faults import Crash
from stackengine.sdk import RefusedError

INJECTED = "refused on purpose"


@dataclass(slots=True)
class Odds:
    """Chances from 0 to 1."""

    crash: float = 0.0
    """At each side of a host call or a commit."""
    fail: float = 0.0
    """At each side of a host call: the host refuses."""
    switch: float = 0.3
    """At each side of a host call: another action goes on."""
    cancel: float = 0.0
    """At each turn of the walk: somebody asks to cancel."""
    gate: float = 0.0
    """That a gate fails."""


CALM = Odds()


class Chance:
    """The only source of chance of a history. Places may be named beforehand: ``at`` maps the number of a place to what happens there."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.odds = CALM
        self.crashes = self.failures = self.cancels = self.places = 0
        self.at: dict[int, str] = {}
        self.when: Callable[[str], str | None] | None = None
        """Told the words of every place (``before put web``, ``after commit``); may answer ``crash`` or ``fail``."""
        self.quiet = False

    def hit(self, chance: float) -> bool:
        """Whether something of this chance happens now."""
        return chance > 0 and self.random.random() < chance

    def place(self, words: str, *, host: bool) -> None:
        """A place where things go wrong: a side of a host call or of a commit."""
        if self.quiet:
            return
        self.places += 1
        told = self.at.get(self.places) or (self.when(words) if self.when else None)
        if told == "crash" or self.hit(self.odds.crash):
            self.crashes += 1
            raise Crash(words)
        if host and (told == "fail" or self.hit(self.odds.fail)):
            self.failures += 1
            raise RefusedError(f"{INJECTED} ({words})", code=1)
