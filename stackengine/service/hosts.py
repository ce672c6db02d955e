"""Use cases on hosts: list, start, stop, remove, doctor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from stackengine.model.diagnostics import did_you_mean
from stackengine.planning.placement import HostFacts
from stackengine.sdk import HostError
from stackengine.service import inventory
from stackengine.service.session import DEFAULT_HOST, Session
from stackengine.service.types import Finding, HostView, NotThereError, ServiceError


def ls(session: Session) -> list[HostView]:
    """Private hosts, those of the inventory, and every host that a stack is on."""
    from stackengine.hosts import private

    known = inventory.read(session.folder)
    facts = {f.uri: f for f in inventory.facts(session, known)}
    stacks = _stacks(session)
    found = []
    for name in private.names(session.folder):
        uri = f"private://{name}"
        host = private.find(name, session.folder)
        details = {"libvirt_uri": host.libvirt_uri, "outbound": host.outbound, "switch": host.switch, "folder": str(host.paths.folder)}
        state = _state(facts.get(uri), "running" if host.pid else "stopped")
        found.append(HostView(name, uri, "private", state, tuple(sorted(stacks.pop(uri, ()))), "", details, facts.get(uri)))
    there = {h.uri for h in found}
    for uri in sorted({*stacks, *facts} - there):
        kind = uri.partition(":")[0]
        usual = "stopped" if kind == "private" else "ready"
        of_kind = kind if kind in ("memory", "private") else "libvirt"
        found.append(HostView(uri, uri, of_kind, _state(facts.get(uri), usual), tuple(sorted(stacks.get(uri, ()))), facts=facts.get(uri)))  # type: ignore[arg-type]
    return found


def _stacks(session: Session) -> dict[str, set[str]]:
    """By host, the stacks that are on it or have something there."""
    found: dict[str, set[str]] = {}
    for stack, uris in session.store.hosts().items():
        for uri in uris:
            found.setdefault(uri, set()).add(stack)
    return found


def _state(facts: HostFacts | None, usual: Any) -> Any:
    """What somebody said of it, unless that is nothing special or it does not even run."""
    said = facts.state if facts is not None else "ready"
    return said if said == "dead" or (said != "ready" and usual != "stopped") else usual


def down(session: Session, uris: Iterable[str]) -> dict[str, str]:
    """Of these hosts those of which nothing runs, as far as that is seen without asking them: URI -> why."""
    from stackengine.hosts import private

    found, dead = {}, inventory.dead(session)
    for uri in uris:
        if uri in dead:
            found[uri] = f"{uri} is dead"
        elif uri.startswith("private://") and (name := _plain(uri)) in private.names(session.folder) and private.find(name, session.folder).pid is None:
            found[uri] = f"{uri} does not run"
    return found


def start(session: Session, name: str, *, outbound: bool = False, switch: bool = False) -> None:
    """Start a private host."""
    from stackengine.hosts import private

    if "://" in name and not name.startswith("private://"):
        hint = f"{name} needs no start: stack-run up TEMPLATE --host {name}"
        raise ServiceError(f"{name} is no private host, and only those are started here", hint=hint, exit_code=2)
    try:
        private.ensure(_plain(name), session.folder, outbound=outbound or None, switch=switch or None)
    except HostError as error:
        raise ServiceError(str(error), hint=error.hint) from error


def stop(session: Session, name: str) -> None:
    """Stop a private host; disks and definitions stay."""
    from stackengine.hosts import private

    _there(session, name)
    try:
        private.stop(_plain(name), session.folder)
    except HostError as error:
        raise ServiceError(str(error), hint=error.hint) from error


def keep_ready(session: Session) -> None:
    """Have one private host ready that the next new one takes over."""
    from stackengine.hosts import private

    try:
        private.ready.keep(session.folder)
    except HostError as error:
        raise ServiceError(str(error), hint=error.hint) from error


def end_ready(session: Session) -> bool:
    """End it; whether there was one."""
    from stackengine.hosts import private

    return private.ready.end(session.folder)


def rm(session: Session, name: str) -> None:
    """Remove a private host that no stack is on."""
    from stackengine.hosts import private

    _there(session, name)
    uri = f"private://{_plain(name)}"
    there = sorted(_stacks(session).get(uri, ()))
    if there:
        raise ServiceError(f"{uri} has stacks: {', '.join(there)}", hint=f"stack-run down {there[0]}")
    try:
        private.remove(_plain(name), session.folder)
    except HostError as error:
        raise ServiceError(str(error), hint=error.hint) from error


def doctor(session: Session, uri: str) -> Iterator[Finding]:
    """What is wrong with a host, and how to mend it."""
    from stackengine.hosts.doctor.checks import examine

    for check, status, message, mend in examine(uri or session.settings.host or DEFAULT_HOST, session.folder):
        yield Finding(check, status, message, mend)


def _there(session: Session, name: str) -> None:
    """NotThereError where there is no such private host."""
    from stackengine.hosts import private

    known = private.names(session.folder)
    if _plain(name) not in known:
        raise NotThereError(f"there is no private host {name}", hint=did_you_mean(_plain(name), known) or "stack-run hosts ls lists them")


def _plain(name: str) -> str:
    return name.removeprefix("private://")
