"""Use cases on hosts: list, start, stop, remove, doctor."""

from __future__ import annotations

from collections.abc import Iterator

from stackengine.model.diagnostics import did_you_mean
from stackengine.sdk import HostError
from stackengine.service import inventory
from stackengine.service.session import DEFAULT_HOST, Session
from stackengine.service.types import Finding, HostView, NotThereError, ServiceError


def ls(session: Session) -> list[HostView]:
    """Private hosts, and every host that a stack is on."""
    from stackengine.hosts import private

    stacks: dict[str, list[str]] = {}
    for row in session.store.stacks():
        stacks.setdefault(row.host, []).append(row.name)
    found = []
    for name in private.names(session.folder):
        uri = f"private://{name}"
        host = private.find(name, session.folder)
        details = {"libvirt_uri": host.libvirt_uri, "outbound": host.outbound, "folder": str(host.paths.folder)}
        found.append(HostView(name, uri, "private", "running" if host.pid else "stopped", tuple(stacks.pop(uri, ())), "", details))
    for entry in inventory.read(session.folder).hosts:
        stacks.setdefault(entry.uri, [])
    there = {h.uri for h in found}
    for uri, names in sorted((u, n) for u, n in stacks.items() if u not in there):
        kind, state = ("memory", "ready") if uri.startswith("memory:") else ("private", "stopped") if uri.startswith("private:") else ("libvirt", "ready")
        found.append(HostView(uri, uri, kind, state, tuple(names)))  # type: ignore[arg-type]
    return found


def start(session: Session, name: str, *, outbound: bool = False) -> None:
    """Start a private host."""
    from stackengine.hosts import private

    if "://" in name and not name.startswith("private://"):
        hint = f"{name} needs no start: stack-run up TEMPLATE --host {name}"
        raise ServiceError(f"{name} is no private host, and only those are started here", hint=hint, exit_code=2)
    try:
        private.ensure(_plain(name), session.folder, outbound=outbound or None)
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


def rm(session: Session, name: str) -> None:
    """Remove a private host that no stack is on."""
    from stackengine.hosts import private

    _there(session, name)
    uri = f"private://{_plain(name)}"
    there = [s.name for s in session.store.stacks() if s.host == uri]
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
