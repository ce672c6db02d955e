"""Identity first: everything that the caller may choose is a hash of (seed, path, generation, salt).

So a plan that is made twice says the same, and an object can be found again after any crash.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import uuid
from collections.abc import Callable, Iterable, Sequence

from stackengine.model.instance import MACHINE, Claim, Recorded
from stackengine.planning.ground import Ground
from stackengine.sdk import Referred, RefusedError, Value

OF_THE_MACHINE = frozenset(("port", "dns", "loopback"))
"""Kinds of claims on what this machine has, whichever host the guests run on."""
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


class ClaimsBook:
    """Who has what on the stack's hosts: other stacks and foreign objects on each, and this stack's own instances on whichever."""

    def __init__(self, ground: Ground, recorded: Recorded) -> None:
        self._ground = ground
        self._foreign: dict[str, dict[str, set[str]]] = {}
        self._own: dict[str, dict[str, str]] = {}
        for instance in recorded.instances.values():
            for claim in instance.claims:
                self._own.setdefault(claim.kind, {})[claim.value] = instance.id

    def take(self, kind: str, candidates: Iterable[str], owner: str, host: str = "") -> Claim:
        """The first candidate that is free on ``host`` (the stack's own, if none is named).

        Failing that, the first that only another instance of this stack has (order rules sort that out). What was said is a sequence; what is left open
        is told by an iterator.

        Raises RefusedError, naming what was wanted and who has it, when others have them all.
        """
        own, host = self._own.setdefault(kind, {}), host or self._ground.host
        fallback, first, count = "", "", 0
        for candidate in candidates:
            first, count = first or candidate, count + 1
            if self._foreign_has(kind, candidate, host):
                continue
            holder = self._own_holder(kind, candidate)
            if holder is None or holder == owner:
                own[candidate] = owner
                return _claim(kind, candidate, host)
            fallback = fallback or candidate
        if fallback:
            own[fallback] = owner
            return _claim(kind, fallback, host)
        if count != 1 or (kind == "cidr" and not isinstance(candidates, Sequence)):
            every = f"all {count} that may be given are" if count != 1 else f"{first}, the only one that may be given, is"
            tried = f": {every} taken" if count else ""
            raise RefusedError(f"no free {kind} on {host}{tried}", hint="who owns this machine can give more: pools in owner.yaml" if count else "")
        has = self.holder(kind, first, host)
        hint = "another range, cidr: auto, or --remap-cidr, which maps it to a free one" if kind == "cidr" else ""
        raise RefusedError(f"{kind} {first} is taken on {host}{f': {has} has it' if has else ''}", hint=hint)

    def holder(self, kind: str, value: str, host: str = "") -> str | None:
        """Who else has ``value`` (a range: anything of it), in words, as far as that is known; None: nobody."""
        host = host or self._ground.host
        taken = self._foreign_on(host).get(kind, set())
        found = value if value in taken else next((t for t in taken if overlap(value, t)), None) if kind == "cidr" else None
        return None if found is None else self._ground.on(host).whose.get((kind, found), "")

    def _foreign_on(self, host: str) -> dict[str, set[str]]:
        if host not in self._foreign:
            ground = self._ground.on(host)
            names = set(ground.names)
            found: dict[str, set[str]] = {"cidr": set(ground.subnets), "name": names, "bridge": set(names), "mac": set(ground.macs)}
            for claim in ground.taken:
                if claim.host in (host, MACHINE):
                    found.setdefault(claim.kind, set()).add(claim.value)
            self._foreign[host] = found
        return self._foreign[host]

    def _foreign_has(self, kind: str, value: str, host: str) -> bool:
        taken = self._foreign_on(host).get(kind, set())
        return value in taken or (kind == "cidr" and any(overlap(value, other) for other in taken))

    def _own_holder(self, kind: str, value: str) -> str | None:
        own = self._own[kind]
        if kind == "cidr":
            return next((holder for other, holder in own.items() if overlap(value, other)), None)
        return own.get(value)


def _claim(kind: str, value: str, host: str) -> Claim:
    return Claim(MACHINE if kind in OF_THE_MACHINE else host, kind, value)


def overlap(one: str, other: str) -> bool:
    """Whether two ranges have an address in common."""
    a, b = ipaddress.ip_network(one, strict=False), ipaddress.ip_network(other, strict=False)
    return a.version == b.version and a.overlaps(b)


class PathIdentities:
    """``sdk.Identities`` for one (path, generation)."""

    def __init__(
        self, ground: Ground, path: str, generation: int, book: ClaimsBook, referred: Callable[[Value], Referred | None], host: str = ""
    ) -> None:
        self.stack, self.path, self.generation, self._host = ground.stack, path, generation, host or ground.host
        self.claims: list[Claim] = []
        self.pools = ground.offered
        self._seed, self._book, self._referred = ground.seed, book, referred

    def _digest(self, salt: str, size: int = 32) -> bytes:
        message = f"{self.path}\0{self.generation}\0{salt}".encode()
        out = b""
        while len(out) < size:
            out += hmac.new(self._seed, message + len(out).to_bytes(4, "big"), hashlib.sha256).digest()
        return out[:size]

    def uuid(self, salt: str = "") -> str:
        """RFC 9562 version 8 (custom) over the digest."""
        raw = bytearray(self._digest(f"uuid:{salt}", 16))
        raw[6], raw[8] = raw[6] & 0x0F | 0x80, raw[8] & 0x3F | 0x80
        return str(uuid.UUID(bytes=bytes(raw)))

    def name(self, limit: int = 60) -> str:
        """``se-STACK-PATH-HASH``."""
        readable = re.sub(r"[^a-zA-Z0-9._-]+", "-", f"se-{self.stack}-{self.path}").strip("-")
        return f"{readable[: limit - 9]}-{self.token(8, 'name')}"

    def mac(self, salt: str = "") -> str:
        """A claimed MAC under the prefix that the owner gives, QEMU's 52:54:00 where none is said."""
        start = self.pools.macs.lower().split(":")
        candidates = (":".join([*start, *(f"{b:02x}" for b in self._digest(f"mac:{salt}:{n}", 6 - len(start)))]) for n in range(64))
        return self.claim("mac", candidates)

    def token(self, length: int = 10, salt: str = "") -> str:
        """Lower-case letters and digits."""
        return "".join(_ALPHABET[b & 31] for b in self._digest(f"token:{salt}", length))

    def random(self, length: int, salt: str = "") -> bytes:
        """Bytes that only the holder of the seed can make."""
        return self._digest(f"random:{salt}", length)

    def claim(self, kind: str, candidates: Iterable[str]) -> str:
        """Claim the first that is free."""
        claim = self._book.take(kind, candidates, f"{self.path}@{self.generation}", self._host)
        self.claims.append(claim)
        return claim.value

    def referred(self, physical_id: Value) -> Referred | None:
        """What a property refers to."""
        return self._referred(physical_id)
