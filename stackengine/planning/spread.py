"""A stack on several hosts: what a resource on one host uses of another host is brought there, as resources of the plan like any other.

``Desired.extra["hosts"]`` says which resources are not on the stack's own host. A type's schema says how it is shared (keyword ``place``):

- ``spans`` (a network): on every host where something is attached to it, it gets a piece, and the pieces are joined by a tunnel;
- ``copies`` (an image): on every host where something stands on it, another one of the same properties is made, and used there;
- ``server``: it is placed by itself; ``follows`` (a volume): it is where the server is that uses it.

Pieces and copies are lowered into the plan and never recorded in a revision: a rollback or a move to another host lowers anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from stackengine.model.desired import COPIES, HOSTS, Dependency, Desired, DesiredResource
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Ref
from stackengine.model.values import Unknown, Value
from stackengine.planning.ground import Ground
from stackengine.registry import Registry

PIECE = "SE::NetworkPiece"
PIECES = "properties.networks.pieces"
"""By what a resource away from its network's host depends on the pieces (``Dependency.via``)."""
DEPENDS_ON = "depends_on"


def host_of(desired: Desired, path: str, home: str) -> str:
    """The URI of the host that a resource is on."""
    return str(desired.extra.get(HOSTS, {}).get(path, home))


def label_of(uri: str) -> str:
    """A short name of a host, for paths: ``private://h2`` is h2, ``qemu+ssh://root@one.example/system`` is one.example."""
    parts = urlsplit(uri)
    named = parts.hostname or "" if parts.scheme not in ("private", "memory") else parts.netloc
    return named or ("default" if parts.scheme in ("private", "memory") else hashlib.sha256(uri.encode()).hexdigest()[:8])


def spread(desired: Desired, ground: Ground, registry: Registry, diagnostics: Diagnostics) -> Desired:
    """``desired`` with what its hosts have to have of each other; itself where all is on one host. K121 where a host cannot."""
    if not desired.extra.get(HOSTS):
        return desired
    return _Spread(desired, ground, registry, diagnostics).run()


def is_record(resource: DesiredResource, registry: Registry) -> bool:
    """Whether it is nothing on a host."""
    info = registry.get(resource.type)
    return info is None or info.handler.inline


def uses(desired: Desired, resource: DesiredResource, registry: Registry) -> Iterator[str]:
    """Paths of what a resource refers to, directly or through what is nothing but a record (a port is on a network)."""
    seen, queue = set[str](), [resource]
    while queue:
        for dependency in queue.pop().depends:
            used = desired.resources.get(dependency.path)
            if used is None or dependency.via == DEPENDS_ON or dependency.path in seen:
                continue
            seen.add(dependency.path)
            yield dependency.path
            if is_record(used, registry):
                queue.append(used)


class _Spread:
    def __init__(self, desired: Desired, ground: Ground, registry: Registry, diagnostics: Diagnostics) -> None:
        self._desired, self._ground, self._registry, self._diagnostics = desired, ground, registry, diagnostics
        self._hosts: dict[str, str] = dict(desired.extra[HOSTS])
        self._labels = self._told_apart({ground.host, *self._hosts.values()})
        self._resources = dict(desired.resources)
        self._copies: dict[str, str] = {}
        self._attached: dict[str, dict[str, list[str]]] = {}
        """Network -> host -> paths of what is attached to it there."""

    def run(self) -> Desired:
        for path, resource in self._desired.resources.items():
            host = self._host(path)
            if is_record(resource, self._registry) or resource.external_id is not None:
                continue
            for used in uses(self._desired, resource, self._registry):
                how = self._how(used)
                if how == "spans":
                    self._attached.setdefault(used, {}).setdefault(host, []).append(path)
                elif how == "copies" and host != self._host(used):
                    self._use_copy(path, used, host)
        for network, by_host in self._attached.items():
            if set(by_host) - {self._host(network)}:
                self._join(network, by_host)
        return replace(self._desired, resources=self._resources, extra={**self._desired.extra, HOSTS: self._hosts, COPIES: self._copies})

    # what is where

    @staticmethod
    def _told_apart(uris: set[str]) -> dict[str, str]:
        labels = {uri: label_of(uri) for uri in sorted(uris)}
        double = {label for label in labels.values() if list(labels.values()).count(label) > 1}
        return {uri: f"{label}-{hashlib.sha256(uri.encode()).hexdigest()[:6]}" if label in double else label for uri, label in labels.items()}

    def _host(self, path: str) -> str:
        return self._hosts.get(path, self._ground.host)

    def _how(self, path: str) -> str:
        info = self._registry.get(self._desired.resources[path].type)
        return str(info.schema.get("place", "")) if info is not None else ""

    # copies

    def _use_copy(self, path: str, used: str, host: str) -> None:
        """Its properties and identity are those of the first: what refers to that means the one on its own host."""
        copy, original, user = f"{used}:{self._labels[host]}", self._desired.resources[used], self._resources[path]
        if copy not in self._resources:
            self._resources[copy] = replace(original, path=copy, depends=(*original.depends, Dependency(used, "configured", "properties.source")))
            self._hosts[copy], self._copies[copy] = host, used
        self._resources[path] = replace(user, depends=(*user.depends, Dependency(copy, "configured", "properties.image")))

    # networks

    def _join(self, network: str, by_host: Mapping[str, list[str]]) -> None:
        home = self._host(network)
        hosts = [home, *sorted(set(by_host) - {home})]
        resource = self._desired.resources[network]
        if not self._able(resource, hosts):
            return
        addresses = {host: self._ground.on(host).underlay for host in hosts}
        pieces = {host: f"{network}:{self._labels[host]}" for host in hosts}
        own = Dependency(network, "configured", "properties.network")
        for host, path in pieces.items():
            peers: list[Value] = sorted(a for h, a in addresses.items() if h != host)
            properties: dict[str, Value] = {"network": Unknown(Ref(network)), "address": addresses[host], "peers": peers, "carrier": host == home}
            self._resources[path] = DesiredResource(path, PIECE, properties, (own,), marks={"": resource.mark_of()}, scope=resource.scope)
            if host != self._ground.host:
                self._hosts[path] = host
        for host, paths in by_host.items():
            needed = [Dependency(pieces[h], "configured", PIECES) for h in dict.fromkeys((host, home))]
            for path in paths if host != home else ():
                self._resources[path] = replace(self._resources[path], depends=(*self._resources[path].depends, *needed))

    def _able(self, network: DesiredResource, hosts: list[str]) -> bool:
        found = list(self._lacking(network, hosts))
        for why, hint in found:
            self._diagnostics.error("K121", f"{network.path} cannot span {' and '.join(hosts)}: {why}", network.mark_of(), hint)
        return not found

    def _lacking(self, network: DesiredResource, hosts: list[str]) -> Iterator[tuple[str, str]]:
        if network.external_id is not None:
            yield "it is not the stack's, and is on one host only", "let its servers be on that host, or make a network in the template"
            return
        if network.properties.get("mode") == "flat":
            yield "a flat network is a bridge of its host", "its servers on one host, or another mode"
            return
        for host in hosts:
            ground = self._ground.on(host)
            if "overlay" not in ground.profile.features:
                yield f"on {host} no tunnel can be made", "a private host can (and nothing changes the devices of another); else keep its servers on one host"
            elif not ground.underlay:
                yield f"the address by which the others reach {host} is not known", f"stack-run hosts add {host} --underlay ADDRESS"
