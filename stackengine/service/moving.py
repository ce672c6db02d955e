"""Use cases that take what a stack has to other hosts: migrate a server, drain a host, evacuate one that is dead.

A placement is part of a revision, so each of these is a plan to the present revision with another placement: journaled, resumed and rolled back as
any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stackengine.model.desired import Desired
from stackengine.model.diagnostics import Diagnostics, InvalidTemplateError, did_you_mean
from stackengine.service import inventory, prepare
from stackengine.service.placing import Placed, Placing
from stackengine.service.session import Session
from stackengine.service.types import Preview, ServiceError
from stackengine.store.store import RevisionRow, StackRow


def preview_migrate(session: Session, name: str, paths: Sequence[str], to: str = "") -> Preview:
    """The plan that takes servers to the host ``to`` (URI or short name), or to where the scheduler puts them; ServiceError where there is nothing to do."""
    row, target = prepare.present(session, name)
    known = inventory.read(session.folder)
    recorded = session.store.recorded(row.id)
    servers = {i.path: i.host for i in recorded.instances.values() if "nics" in i.identity}
    for path in paths:
        if path not in servers:
            raise ServiceError(f"{name} has no server {path}", hint=did_you_mean(path, servers) or f"it has: {', '.join(sorted(servers)) or 'none'}")
    if to:
        uri = known.find(to).uri if known.hosts else to
        if all(servers[p] == uri for p in paths):
            raise ServiceError(f"{', '.join(paths)}: already on {uri}", hint="stack-run hosts ls shows the others", exit_code=2)
        fixed = {p: uri for p in servers if p in paths} | {p: h for p, h in servers.items() if p not in paths}
        return _preview(session, row, target, _placed(session, row, target.desired, fixed=fixed))
    if not known.hosts:
        raise ServiceError("there is no inventory to choose a host from", hint="--to HOST names one; stack-run hosts add takes hosts up")
    fixed = {p: h for p, h in servers.items() if p not in paths}
    return _preview(session, row, target, _placed(session, row, target.desired, fixed=fixed, avoid=frozenset(servers[p] for p in paths)))


def preview_drain(session: Session, name: str, uri: str) -> Preview:
    """The plan that takes a stack's servers away from a host, to where the scheduler puts them."""
    row, target = prepare.present(session, name)
    return _preview(session, row, target, _placed(session, row, target.desired, avoid=frozenset({uri})))


def preview_leave(session: Session, name: str, uri: str) -> Preview:
    """The plan by which a stack gives up a host altogether, its networks too: where it was the stack's own, another one becomes that.

    For a host that is dead (``hosts.yaml`` says so): what was there is made again elsewhere.
    """
    row, target = prepare.present(session, name)
    home = _next_home(session, row, target.desired, uri) if row.host == uri else row.host
    placed = _placed(session, row, target.desired, leave=frozenset({uri}), home=home)
    return _preview(session, replace(row, host=placed.home), target, placed)


def _next_home(session: Session, row: StackRow, desired: Desired, uri: str) -> str:
    """The host that most of the stack's servers are on, once they have left ``uri``."""
    placed = _placed(session, row, desired, leave=frozenset({uri}))
    servers = [i.path for i in session.store.recorded(row.id).instances.values() if "nics" in i.identity]
    hosts = [placed.hosts.get(p, uri) for p in servers]
    left = [h for h in hosts if h != uri] or [h.uri for h in inventory.read(session.folder).hosts if h.state == "ready"]
    if not left:
        raise ServiceError(f"there is no other host for {row.name}", hint="stack-run hosts add takes one up")
    return max(sorted(set(left)), key=left.count)


def _placed(
    session: Session, row: StackRow, desired: Desired, *, fixed: dict[str, str] | None = None, avoid: frozenset[str] = frozenset(), home: str = "",
    leave: frozenset[str] = frozenset(),
) -> Placed:  # fmt: skip
    diagnostics = Diagnostics()
    placing = Placing(session, row.name, row.host, desired, session.store.recorded(row.id), diagnostics)
    placed = placing.onto(home or row.host, avoid=avoid, fixed=fixed, leave=leave)
    if placed is None or diagnostics.errors:
        raise InvalidTemplateError(diagnostics)
    return placed


def _preview(session: Session, row: StackRow, target: RevisionRow, placed: Placed) -> Preview:
    return prepare.prepare_changed(session, row, target, placed.within(target.desired))
