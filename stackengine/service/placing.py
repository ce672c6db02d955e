"""On which host of the inventory each server of a stack goes, all of a plan at once; the rest follows the servers.

A new stack goes whole to one host where nothing speaks against it, so that its networks need no tunnel. Without an inventory, or with ``--host``,
everything is on one host. What is there stays where it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from stackengine.model.desired import HOSTS, Desired, DesiredResource
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.instance import Recorded
from stackengine.model.mark import NOWHERE
from stackengine.model.values import unknowns
from stackengine.planning.placement import HostFacts, Wanted, place
from stackengine.planning.spread import label_of, uses
from stackengine.service import inventory
from stackengine.service.session import Session

GROUP = "SE::ServerGroup"
POLICIES = ("affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity")


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a stack is: its own host, and the hosts of those resources that are on others."""

    home: str
    hosts: dict[str, str]

    def within(self, desired: Desired) -> Desired:
        """``desired`` with this placement in it."""
        extra = {k: v for k, v in desired.extra.items() if k != HOSTS}
        return replace(desired, extra={**extra, HOSTS: self.hosts} if self.hosts else extra)


class Placing:
    """Places one stack's desired state."""

    def __init__(self, session: Session, name: str, home: str, desired: Desired, recorded: Recorded, diagnostics: Diagnostics) -> None:
        self._session, self._name, self._home, self._desired, self._diagnostics = session, name, home, desired, diagnostics
        self._inventory = inventory.read(session.folder)
        self._recorded = recorded
        self._avoid: frozenset[str] = frozenset()
        self._leave = frozenset(h.uri for h in self._inventory.hosts if h.state == "dead")
        self._current = {i.path: i for i in sorted(recorded.instances.values(), key=lambda i: (i.status != "deleting", i.sure, i.generation))}
        self._servers = [p for p, r in desired.resources.items() if self._how(r) == "server" and r.external_id is None]

    def new(self) -> Placed | None:
        """A new stack: its own host is chosen, too. None, and K110, when it fits nowhere."""
        hosts = inventory.facts(self._session, self._inventory)
        if not hosts:
            return self.onto(self._home)
        wanted = self._wanted(hosts, near="")
        whole = self._whole(wanted)
        if whole is not None:
            found = place([whole], hosts, self._inventory.scheduler, self._inventory.ratios, self._name.encode())
            if self._name in found.on:
                self._tell(found.on[self._name], hosts, whole)
                return Placed(found.on[self._name], {})
            if len(wanted) < 2:
                self._fits_nowhere(whole, found.reasons(self._name))
                return None
        return self._each(wanted, hosts, None)

    def onto(
        self, home: str, *, avoid: frozenset[str] = frozenset(), fixed: Mapping[str, str] | None = None, leave: frozenset[str] = frozenset()
    ) -> Placed | None:  # fmt: skip
        """One that is there, or whose host was named: servers stay where they are, unless that host is in ``avoid``, and new ones are placed.

        ``fixed``: where some servers go, whatever the scheduler would say; ``leave``: hosts on which no network stays, either.
        None, and K110, when a server fits nowhere.
        """
        self._home, self._avoid, self._leave = home, avoid | leave, self._leave | leave
        avoid = self._avoid
        staying = dict(fixed or {})
        for path in self._servers:
            known = self._current.get(path)
            if path not in staying and known is not None and known.type == self._desired.resources[path].type and known.host not in avoid:
                staying[path] = known.host
        moving = [p for p in self._servers if p not in staying]
        hosts = inventory.facts(self._session, self._inventory) if moving else []
        asked = any(self._asked(self._desired.resources[p]) for p in moving)
        if not moving or not ((asked and hosts) or avoid or any(h.uri == home for h in hosts)):
            self._unheard(moving)
            return self._result(home, {**dict.fromkeys(moving, home), **staying})
        return self._each(self._wanted(hosts, near=home, staying=staying), self._with_members(hosts, staying), home, staying)

    # what is wanted

    def _how(self, resource: DesiredResource) -> str:
        info = self._session.registry.get(resource.type)
        return str(info.schema.get("place", "")) if info is not None else ""

    @staticmethod
    def _asked(resource: DesiredResource) -> Mapping[str, Any]:
        found = resource.properties.get("placement")
        return found if isinstance(found, dict) else {}

    def _groups(self, resource: DesiredResource) -> dict[str, DesiredResource]:
        found = {d.path: self._desired.resources.get(d.path) for d in resource.depends}
        return {p: g for p, g in found.items() if g is not None and g.type == GROUP}

    def _wanted(self, hosts: list[HostFacts], *, near: str, staying: Mapping[str, str] | None = None) -> list[Wanted]:
        """What each server that is to be placed wants of its host."""
        together, zones, stay = self._sharing(), {h.zone for h in hosts if h.zone}, staying or {}
        return [self._wants(path, together.get(path, ""), zones, near, stay) for path in self._servers if path not in stay]

    def _wants(self, path: str, together: str, zones: set[str], near: str, staying: Mapping[str, str]) -> Wanted:
        resource = self._desired.resources[path]
        info, asked = self._session.registry.types[resource.type], self._asked(resource)
        demand, groups = info.handler.demand(resource.properties), self._groups(resource)
        policies = {p: (str(g.properties.get("policy", "anti-affinity")), int(g.properties.get("max_per_host") or 1)) for p, g in groups.items()}
        by = {kind: [p for p, (policy, _) in policies.items() if policy == kind] for kind in POLICIES}
        zone = str(asked.get("zone") or "")
        if zone and not zones:
            self._diagnostics.notice("K124", f"{path}: no host of the inventory is in a zone, so {zone} is any", resource.mark_of("placement"))
            zone = ""
        wish = str(asked.get("host") or "")
        if any(wish in (uri, label_of(uri)) for uri in self._avoid):
            self._diagnostics.notice("K126", f"{path}: it asks for {wish}, which is to be left", resource.mark_of("placement"))
            wish = ""
        near_to = next((staying[p] for p in self._named(asked.get("near")) if p in staying), "")
        labels = frozenset(f"{k}={v}" for k, v in (asked.get("labels") or {}).items())
        return Wanted(
            path, demand.vcpus, demand.memory, zone, labels, frozenset(inventory.needs_of(info, resource.properties)),
            apart=next(iter(by["anti-affinity"]), ""), together=together or next(iter(by["affinity"]), ""),
            host=wish or near_to, host_group=str(asked.get("host_group") or ""),
            at_most=min((policies[p][1] for p in by["anti-affinity"]), default=1), likes=frozenset(by["soft-affinity"]),
            dislikes=frozenset(by["soft-anti-affinity"]), pairs=frozenset(self._pairs(path)),
            avoids=frozenset(staying[p] for p in self._named(asked.get("far")) if p in staying), near=near,
        )  # fmt: skip

    @staticmethod
    def _named(value: Any) -> list[str]:
        """Paths of the servers that a property refers to."""
        return [r.target for u in unknowns(value or []) for r in u.refs()]

    def _pairs(self, path: str) -> Iterator[str]:
        """Pairs of servers that are to be apart, of which this is one."""
        for other in self._servers:
            for far in self._named(self._asked(self._desired.resources[other]).get("far")):
                if path in (other, far):
                    yield f"{other} and {far}"

    def _sharing(self) -> dict[str, str]:
        """Servers that use the same volume, or want to be near each other, are on one host: path -> a name for them all."""
        users: dict[str, set[str]] = {}
        for path, resource in self._desired.resources.items():
            near = {d.path for d in resource.depends} | {path}
            for volume in (p for p in near if p in self._desired.resources and self._how(self._desired.resources[p]) == "follows"):
                users.setdefault(volume, set()).update(p for p in near if p in self._servers)
        for path in self._servers:
            for other in self._named(self._asked(self._desired.resources[path]).get("near")):
                users.setdefault(other, {other}).add(path)
        found: dict[str, str] = {}
        for volume, paths in sorted(users.items()):
            if len(paths) > 1:
                found.update(dict.fromkeys(paths, f"those with {volume}"))
        return found

    def _whole(self, wanted: list[Wanted]) -> Wanted | None:
        """The whole stack as one; None where its servers ask for different places, or not to be together."""
        alone = {(w.zone, w.labels, w.host, w.host_group) for w in wanted}
        apart = Counter(w.apart for w in wanted if w.apart)
        if len(alone) > 1 or any(apart[w.apart] > w.at_most for w in wanted if w.apart) or any(w.dislikes for w in wanted):
            return None
        zone, labels, host, group = next(iter(alone), ("", frozenset[str](), "", ""))
        needs = {f for r in self._desired.resources.values() if (i := self._session.registry.get(r.type)) for f in inventory.needs_of(i, r.properties)}
        return Wanted(
            self._name, sum(w.vcpus for w in wanted), sum(w.memory for w in wanted), zone, labels, frozenset(needs), host=host, host_group=group,
        )  # fmt: skip

    def _with_members(self, hosts: list[HostFacts], staying: Mapping[str, str]) -> list[HostFacts]:
        """The hosts with the members of groups that stay there."""
        members: dict[str, set[tuple[str, str]]] = {}
        for path, host in staying.items():
            members.setdefault(host, set()).update((g, path) for g in self._groups(self._desired.resources[path]))
        return [replace(h, members=frozenset(members.get(h.uri, ()))) for h in hosts]

    # the result

    def _each(self, wanted: list[Wanted], hosts: list[HostFacts], home: str | None, staying: Mapping[str, str] | None = None) -> Placed | None:
        found = place(wanted, hosts, self._inventory.scheduler, self._inventory.ratios, self._name.encode())
        for one in wanted:
            if one.path not in found.on:
                self._fits_nowhere(one, found.reasons(one.path))
        if found.rejected:
            return None
        for one in wanted:
            self._tell(found.on[one.path], hosts, one)
        on = {**found.on, **(staying or {})}
        count = Counter(on.values())
        return self._result(home or max((h.uri for h in hosts), key=lambda uri: count[uri]), on)

    def _fits_nowhere(self, one: Wanted, reasons: str) -> None:
        resource = self._desired.resources.get(one.path)
        self._diagnostics.error(
            "K110", f"no host fits {one.path}, which wants {one.vcpus} vCPUs and {one.memory} MiB: {reasons}",
            resource.mark_of() if resource is not None else NOWHERE,
            hint="stack-run hosts ls shows what is there; hosts add takes another one up, and --host names one whatever is said of it",
        )  # fmt: skip

    def _tell(self, uri: str, hosts: list[HostFacts], one: Wanted) -> None:
        alone = [place([one], [h], ratios=self._inventory.ratios) for h in hosts]
        reasons = [found.reasons(one.path) for found in alone if one.path not in found.on]
        why = f"; not {'; not '.join(reasons)}" if reasons else ""
        self._diagnostics.notice("K111", f"{one.path} goes to {uri}, by the scheduler {self._inventory.scheduler} from {len(hosts)} hosts{why}")

    def _unheard(self, moving: list[str]) -> None:
        """With one host there is nothing to choose: what servers ask for is said to be in vain."""
        for path in moving:
            resource = self._desired.resources[path]
            asked = self._asked(resource)
            wishes = [f"{n.replace('_', ' ')} {asked[n]}" for n in ("zone", "host", "host_group") if asked.get(n)]
            wishes += [f"label {k}={v}" for k, v in (asked.get("labels") or {}).items()]
            if asked.get("host") in (self._home, label_of(self._home)):
                wishes.remove(f"host {asked['host']}")
            if wishes:
                why = f"{path}: there is only {self._home}, so what it asks for has no effect: {', '.join(wishes)}"
                self._diagnostics.notice("K127", why, resource.mark_of("placement"))
        groups: Counter[str] = Counter(p for s in moving for p in self._groups(self._desired.resources[s]))
        for path, count in groups.items():
            group = self._desired.resources[path]
            if str(group.properties.get("policy", "anti-affinity")) == "anti-affinity" and count > int(group.properties.get("max_per_host") or 1):
                why = f"{path}: its {count} servers share {self._home}, as there is no other host"
                self._diagnostics.warning("K123", why, group.mark_of(), "stack-run hosts add takes hosts into the inventory")

    def _result(self, home: str, on: Mapping[str, str]) -> Placed:
        """Where everything is when the servers are where ``on`` says."""
        if all(h == home for h in on.values()) and all(i.host == home for i in self._recorded.instances.values()):
            return Placed(home, {})
        hosts = dict(on)
        users: dict[str, Counter[str]] = {}
        for path, resource in self._desired.resources.items():
            for used in uses(self._desired, resource, self._session.registry):
                if path in on:
                    users.setdefault(used, Counter())[on[path]] += 1
                elif used in on and self._how(resource) == "follows":
                    hosts[path] = on[used]
        for path, by in users.items():
            if self._how(self._desired.resources[path]) == "follows":
                hosts[path] = by.most_common(1)[0][0]
        for path, resource in self._desired.resources.items():  # a volume is where its attachment is
            if path in hosts and self._how(resource) == "follows":
                near = {d.path: self._desired.resources.get(d.path) for d in resource.depends}
                hosts.update({p: hosts[path] for p, r in near.items() if r is not None and self._how(r) == "follows"})
        at_home = any(self._stays_home(r) for r in self._desired.resources.values())
        for path, resource in self._desired.resources.items():
            how, by = self._how(resource), users.get(path, Counter())
            if how in ("spans", "copies") and resource.external_id is None:
                for follower in (p for p, r in self._desired.resources.items() if how == "copies" and p in hosts and path in {d.path for d in r.depends}):
                    by[hosts[follower]] += 1
                there = self._stands(path) if how == "spans" else None
                stays = home in by or not by or (how == "spans" and at_home)
                hosts[path] = there if there is not None else home if stays else min(by.items(), key=lambda b: (-b[1], b[0]))[0]
        return Placed(home, {p: h for p, h in sorted(hosts.items()) if h != home})

    def _stands(self, path: str) -> str | None:
        """The host of a network that is there: it stays, as it has the addresses. Not on one that is to be left."""
        known = self._current.get(path)
        return known.host if known is not None and known.host not in self._leave else None

    def _stays_home(self, resource: DesiredResource) -> bool:
        """Whether it is something on the stack's own host that reaches into its networks (a router, a published port)."""
        info = self._session.registry.get(resource.type)
        return info is not None and not info.handler.inline and not info.schema.get("place")
