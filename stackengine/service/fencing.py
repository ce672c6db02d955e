"""Hosts that are dead: seen to be, said to be, made sure to be; and what they still have when they come back."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from stackengine.hosts import private
from stackengine.planning.spread import label_of
from stackengine.sdk import Host, HostError
from stackengine.service import inventory
from stackengine.service.session import Session
from stackengine.service.types import ServiceError

PRIVATE = "private://"
_OWNER = "metadata/{urn:stackengine:1}stack"


def fence(session: Session, named: str, *, said_dead: bool) -> str:
    """Record that a host is dead; its URI. ServiceError while it may still run something.

    A private host is of this machine: it is ended, and the kernel ends all that was in it. Any other must be ``said_dead`` and must not answer.
    """
    known = inventory.read(session.folder)
    entry = next((h for h in known.hosts if named in (h.uri, label_of(h.uri))), None)
    uri = entry.uri if entry is not None else named
    if entry is not None and entry.state == "dead":
        return uri
    if uri.startswith(PRIVATE):
        _end(session, uri.removeprefix(PRIVATE))
    elif not said_dead:
        raise ServiceError(
            f"{uri} may still run its servers, and no server may run twice", hint="when you have seen to it that it does not: --host-is-dead", exit_code=2
        )
    elif _answers(session, uri):
        raise ServiceError(f"{uri} answers, so it is not dead", hint=f"stack-run hosts drain {uri}", exit_code=2)
    inventory.say_dead(session.folder, uri)
    session.forget(uri)
    return uri


def _end(session: Session, name: str) -> None:
    try:
        private.stop(name, session.folder, limit=0.0)
    except HostError as error:
        if name in private.names(session.folder):
            raise ServiceError(f"the private host {name} does not end: {error}", hint=error.hint) from error


def _answers(session: Session, uri: str) -> bool:
    try:
        session.host(uri, start=False).network_list()
    except HostError:
        return False
    return True


def take_back(session: Session, uri: str) -> list[str]:
    """A host that was dead is there again: what was evacuated from it is taken away. What went; ServiceError when it cannot be had."""
    try:
        host = session.host(uri)
        return [*_servers(session, host), *_networks(session, host)]
    except HostError as error:
        raise ServiceError(f"{uri} cannot be used: {error}", hint=error.hint or f"stack-run hosts doctor {uri}") from error


def _stale(session: Session, uri: str, xml: str) -> bool:
    """Whether an object carries our mark and is recorded elsewhere, or not at all."""
    element = ET.fromstring(xml).find(_OWNER)
    if element is None or element.get("store") != session.store.id:
        return False
    id_ = f"{element.get('path')}@{element.get('generation')}"
    found = session.store.recorded(element.get("stack-id", "")).instances.get(id_)
    return found is None or uri not in (found.host, found.origin)


def _servers(session: Session, host: Host) -> list[str]:
    gone = []
    for domain in host.domain_list():
        if _stale(session, host.uri, domain.xml):
            host.domain_destroy(domain.uuid)
            host.domain_undefine(domain.uuid)
            gone.append(domain.name)
            for pool in host.pool_list():
                for name in host.volume_names(pool.name):
                    if name.startswith(f"{domain.name}-"):
                        host.volume_delete(pool.name, name)
    return gone


def _networks(session: Session, host: Host) -> list[str]:
    gone = []
    for network in host.network_list():
        if _stale(session, host.uri, network.xml):
            host.network_destroy(network.uuid)
            host.network_undefine(network.uuid)
            gone.append(network.name)
    return gone
