"""A host of plain things with disks. It refuses: a name twice; two running things with one device; a reference to what is not there; the end of what runs
or is used; a disk that shrinks; another disk under what runs or is used by what runs; a thing without a disk."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from stackengine.hosts.memory.host import PROFILE
from stackengine.sdk import ExistsError, NotFoundError, RefusedError


class ThingHost:
    """As much of ``sdk.Host`` as planning asks for, and some calls of its own. ``point`` is called before and after each of those."""

    simulated = True
    profile = PROFILE

    def __init__(self, uri: str, point: Callable[[str, str, str], None]) -> None:
        self.uri, self.things, self._point = uri, dict[str, dict[str, Any]](), point
        self._serial = 0
        self.copies: dict[str, tuple[int, str]] = {}
        """By name: room and content of a disk as it was."""
        self.foreign = {f"f{n}": {"serial": f"foreign-{n}", "size": n} for n in range(3)}
        """Things that no stack made."""

    def look(self, me: str) -> dict[str, Any] | None:
        """One that no stack made."""
        return copy.copy(self.foreign.get(me))

    def network_list(self) -> list[Any]:
        return []

    def pool_list(self) -> list[Any]:
        """None."""
        return []

    def pool_info(self, pool: str) -> None:
        return None

    @contextmanager
    def _call(self, call: str, me: str) -> Iterator[None]:
        self._point("before", call, me)
        yield
        self._check()
        self._point("after", call, me)

    def _check(self) -> None:
        names = [t["name"] for t in self.things.values() if t["name"]]
        assert len(names) == len(set(names)), f"a name is there twice: {names}"
        taken = [d for t in self.things.values() if t["on"] for d in t["devices"]]
        assert len(taken) == len(set(taken)), f"a device runs twice: {taken}"

    def get(self, me: str) -> dict[str, Any] | None:
        return copy.copy(self.things.get(me))

    def _busy(self, me: str, devices: list[str]) -> None:
        for other, thing in self.things.items():
            if other != me and thing["on"] and set(thing["devices"]) & set(devices):
                raise RefusedError(f"{me}: {set(thing['devices']) & set(devices)} is in use by {other}", code=1)

    def put(self, me: str, spec: dict[str, Any]) -> None:
        """Define, or define anew."""
        with self._call("put", me):
            for ref in spec["refs"]:
                if ref not in self.things and ref not in self.foreign:
                    raise NotFoundError(f"{me}: there is no {ref}", code=42)
            if spec["name"] and any(t["name"] == spec["name"] for i, t in self.things.items() if i != me):
                raise ExistsError(f"{me}: the name {spec['name']} is taken", code=9)
            known = self.things.get(me)
            if known is not None and known["on"]:
                self._busy(me, spec["devices"])
            if known is None:
                self._serial += 1
                known = {"on": False, "serial": f"serial-{self._serial}", "runs": None, "disk": (spec["room"], f"made with serial-{self._serial}")}
            if known["disk"] is None:
                raise RefusedError(f"{me} has lost its disk", code=38)
            room, content = known["disk"]
            if spec["room"] < room:
                raise RefusedError(f"{me} does not shrink from {room} to {spec['room']}", code=8)
            disk = (spec["room"], content if spec["room"] == room else f"{content}, written over with {spec['room']}")
            self.things[me] = {**known, **{k: v for k, v in spec.items() if k != "room"}, "disk": disk}

    def start(self, me: str) -> None:
        """Start; no error when it runs."""
        with self._call("start", me):
            thing = self._known(me)
            if not thing["on"]:
                self._busy(me, thing["devices"])
                self.things[me] = {**thing, "on": True, "runs": thing["mode"]}

    def copy(self, me: str, name: str) -> None:
        """Keep what its disk holds under a name."""
        with self._call("copy", me):
            self.copies[name] = self._known(me)["disk"]

    def lose(self, me: str) -> None:
        """Take its disk away, so that another can come; refused while it runs, or is used by what runs."""
        with self._call("lose", me):
            users = [i for i, t in self.things.items() if t["on"] and (i == me or me in t["refs"])]
            if users:
                raise RefusedError(f"the disk of {me} is in use by {users}", code=55)
            self.things[me] = {**self._known(me), "disk": None}

    def bring(self, me: str, name: str) -> None:
        """Give it the disk that was kept under a name."""
        with self._call("bring", me):
            self.things[me] = {**self._known(me), "disk": self.copies[name]}

    def toss(self, me: str, name: str) -> None:
        """Keep it no more; no error when it is not kept."""
        with self._call("toss", me):
            self.copies.pop(name, None)

    def stop(self, me: str) -> None:
        """Stop; no error when it does not run, or is not there."""
        with self._call("stop", me):
            if me in self.things:
                self.things[me] = {**self.things[me], "on": False, "runs": None}

    def unref(self, me: str, of: str) -> None:
        """Let go of another thing."""
        with self._call("unref", me):
            if me in self.things:
                thing = self.things[me]
                self.things[me] = {**thing, "refs": [r for r in thing["refs"] if r != of]}

    def drop(self, me: str) -> None:
        """Forget; refused while it runs or somebody refers to it."""
        with self._call("drop", me):
            thing = self.things.get(me)
            if thing is None:
                return
            if thing["on"]:
                raise RefusedError(f"{me} runs", code=55)
            users = [i for i, t in self.things.items() if me in t["refs"]]
            if users:
                raise RefusedError(f"{me} is used by {users}", code=55)
            del self.things[me]

    def _known(self, me: str) -> dict[str, Any]:
        if me not in self.things:
            raise NotFoundError(f"there is no {me}", code=42)
        return self.things[me]
