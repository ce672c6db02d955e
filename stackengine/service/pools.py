"""Use cases on the storage pools of a host: list, define, forget. libvirt keeps the definitions, and starts pools with the host."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stackengine.sdk import GONE, KINDS, Host, HostError, PoolInfo, pool_xml
from stackengine.service.session import Session
from stackengine.service.types import ServiceError


def ls(session: Session, uri: str) -> list[PoolInfo]:
    """The pools of a host, by name."""
    return sorted(_on(session, uri).pool_list(), key=lambda p: p.name)


def said_by(words: Iterable[str]) -> dict[str, Any]:
    """``KEY=VALUE`` words as :func:`stackengine.sdk.pool_xml` takes them: ``host=ADDRESS[:PORT]`` and ``device=PATH`` again and again, ``auth=USER:SECRET``."""
    found: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not value:
            raise ServiceError(f"{word}: a pool is described by KEY=VALUE", hint="path=/srv/disks, device=/dev/vdb, host=10.0.0.1:6789", exit_code=2)
        match key:
            case "host":
                name, colon, port = value.rpartition(":")
                found.setdefault("hosts", []).append({"name": name, "port": int(port)} if colon and port.isdigit() else {"name": value})
            case "auth":
                user, _, secret = value.partition(":")
                found["auth"] = {"user": user, "secret": secret}
            case "devices":
                found.setdefault("devices", []).append(value)
            case _:
                found[key] = value
    return found


def add(session: Session, uri: str, name: str, kind: str, words: Iterable[str]) -> PoolInfo:
    """Define and start a pool; what is there on its devices is used, and never made anew. ServiceError with everything that is wrong."""
    host = _on(session, uri)
    if kind not in KINDS:
        raise ServiceError(f"there are no pools of the kind {kind}", hint=GONE.get(kind, f"one of {', '.join(KINDS)}"), exit_code=2)
    try:
        return host.pool_define(pool_xml(name, {"kind": kind, **said_by(words)}))
    except HostError as error:
        raise ServiceError(str(error), hint=error.hint) from error


def rm(session: Session, uri: str, name: str) -> None:
    """Let a host forget a pool; what is stored there stays. Refused while a stack has volumes in it."""
    host = _on(session, uri)
    for stack, instance in session.store.instances():
        if uri in (instance.host, instance.origin) and instance.properties.get("pool") == name:
            raise ServiceError(f"the stack {stack} has volumes in the pool {name}", hint=f"stack-run down {stack}")
    host.pool_undefine(name)


def _on(session: Session, uri: str) -> Host:
    try:
        return session.host(uri)
    except HostError as error:
        raise ServiceError(f"{uri} cannot be used: {error}", hint=error.hint or f"stack-run hosts doctor {uri}") from error
