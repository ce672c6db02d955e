"""Reads what the owner of this machine allows, from ``/etc/stackengine/owner.yaml`` and the user's ``$XDG_CONFIG_HOME/stackengine/owner.yaml``.

.. code-block:: yaml

    allow:
      files: [/srv/images]
      commands: [/usr/local/bin/register]
      python: ["ours.macros:expand"]
      urls: ["https://templates.example/"]
      devices: [/srv/share]
      hosts: ["qemu:///system"]
    quotas:
      host: {environments: 20, vcpus: 16, memory: 16384, disk: 200}
      repository: {environments: 5}
      owner: {environments: 3}
    pools:
      subnets: [10.64.0.0/12, "fd12:3456:789a::/48"]
      macs: "52:54:00:7a"
      bridges: se
      ports: 20000-29999
      zone: env.internal
      addresses: 127.64.0.0/12
    downloads:
      proxy: http://proxy.example:3128
      ca: /etc/ssl/ours.pem
      mirrors: {"https://cloud.debian.org/images/": "https://mirror.example/debian/"}
    ready_hosts: 0
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stackengine.model.allowed import KINDS, NOTHING, SCOPES, Allowed, Pools, Quotas, quotas_of
from stackengine.model.desired import Desired
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.instance import Recorded
from stackengine.model.values import has_unknown
from stackengine.registry import Registry
from stackengine.service.types import ServiceError

if TYPE_CHECKING:
    from stackengine.hosts.images import Images, Ways

FILE = "owner.yaml"
SECTIONS = ("allow", "quotas", "pools", "downloads", "ready_hosts")


def places() -> tuple[Path, ...]:
    """The files that are read; what they allow adds up."""
    user = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path("/etc/stackengine") / FILE, Path(user) / "stackengine" / FILE


def allowed() -> Allowed:
    """What is allowed; ServiceError where a file is not in order (nothing is guessed about permissions)."""
    found = NOTHING
    for path in places():
        if path.is_file():
            more = _read(path)
            found = Allowed(**{f.name: (*getattr(found, f.name), *getattr(more, f.name)) for f in fields(Allowed)})
    return found


def quotas() -> Quotas:
    """How much room branch environments may take; the least of all files counts."""
    found = []
    for path in places():
        if path.is_file():
            listed: Any = _data(path).get("quotas", {})
            rooms: list[Any] = list(listed.values()) if isinstance(listed, dict) else [None]
            if not all(isinstance(room, dict) and set(room) <= set(KINDS) for room in rooms) or set(listed) - set(SCOPES):
                raise ServiceError(f"{path}: quotas is not in order", hint=f"{', '.join(SCOPES)}: each a mapping with some of {', '.join(KINDS)}")
            if not all(type(limit) is int and limit >= 0 for room in rooms for limit in room.values()):
                raise ServiceError(f"{path}: a quota must be a number from 0", hint="memory is in MiB, disk in GiB")
            found.append(listed)
    return quotas_of(found)


def keeps_ready() -> bool:
    """Whether one private host may be kept ready for the next branch environment (``ready_hosts``: 0 or 1, if nobody says anything 1)."""
    said = [_data(path).get("ready_hosts", 1) for path in places() if path.is_file()]
    if any(type(number) is not int or number not in (0, 1) for number in said):
        raise ServiceError(f"{FILE}: ready_hosts is not in order", hint="ready_hosts: 0, or 1")
    return all(said)


def pools() -> Pools:
    """What names and addresses are chosen from; what the machine's file says wins over the user's, key by key."""
    found = Pools()
    for path in reversed(places()):
        if path.is_file():
            listed: Any = _data(path).get("pools", {})
            if not isinstance(listed, dict) or set(listed) - {f.name for f in fields(Pools)}:
                raise ServiceError(f"{path}: pools is not in order", hint=f"a mapping with some of {', '.join(f.name for f in fields(Pools))}")
            try:
                found = replace(found, **{k: _POOLS[k](v) for k, v in listed.items()})
            except (ValueError, TypeError) as error:
                raise ServiceError(f"{path}: pools cannot be read: {error}", hint="see docs/how-to/branch-environments.md") from error
    return found


def _subnets(value: Any) -> tuple[str, ...]:
    networks = [ipaddress.ip_network(v) for v in value]
    for network in networks:
        if network.prefixlen > (28 if network.version == 4 else 64):
            raise ValueError(f"{network} is too small for a network of guests")
    return tuple(map(str, networks))


def _ports(value: Any) -> tuple[int, int]:
    first, last = (int(v) for v in str(value).split("-"))
    if not 1024 <= first <= last <= 65535:
        raise ValueError(f"ports {value} are not in order: FIRST-LAST from 1024 to 65535")
    return first, last


def _loopback(value: Any) -> str:
    network = ipaddress.IPv4Network(value)
    if not network.is_loopback or network.num_addresses < 8:
        raise ValueError(f"{network} is no range of loopback addresses")
    return str(network)


def _like(pattern: str, what: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(f"{value} is no {what}")
        return value

    return read


_POOLS: dict[str, Callable[[Any], Any]] = {
    "subnets": _subnets,
    "macs": _like(r"[0-9A-Fa-f][26AEae](:[0-9A-Fa-f]{2}){2,4}", "beginning of locally administered MACs of three to five bytes (52:54:00)"),
    "bridges": _like(r"[a-z][a-z0-9-]{0,4}", "beginning of bridge names (up to five letters and digits)"),
    "ports": _ports,
    "zone": _like(r"(?=.{1,100}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", "DNS zone (env.internal)"),
    "addresses": _loopback,
}


def downloads() -> Ways:
    """How images are fetched; of several files the last one that says something counts, and mirrors add up."""
    from stackengine.hosts import calling
    from stackengine.hosts.ways import Ways

    found = Ways(named=calling.places(allowed().urls))
    for path in places():
        if path.is_file():
            said: Any = _data(path).get("downloads", {})
            if not isinstance(said, dict) or set(said) - {"proxy", "ca", "mirrors"}:
                raise ServiceError(f"{path}: downloads is not in order", hint="it holds some of: proxy, ca, mirrors")
            mirrors = said.get("mirrors", {})
            if not isinstance(mirrors, dict) or not all(isinstance(v, str) and v.startswith(("http://", "https://")) for kv in mirrors.items() for v in kv):
                raise ServiceError(f"{path}: downloads.mirrors maps beginnings of addresses to others", hint='{"https://cloud.debian.org/": "https://mirror/"}')
            proxy, ca = said.get("proxy", found.proxy), said.get("ca", found.ca)
            if not isinstance(proxy, str) or not isinstance(ca, str):
                raise ServiceError(f"{path}: downloads.proxy and downloads.ca are texts", hint="a URL, and the path of a file")
            found = replace(found, proxy=proxy, ca=ca, mirrors={**found.mirrors, **mirrors})
    return found


def _data(path: Path) -> dict[str, Any]:
    import yaml

    try:
        data = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ServiceError(f"{path} cannot be read: {error}", hint="mend it, or move it away") from error
    if not isinstance(data, dict):
        raise ServiceError(f"{path} is not in order", hint=f"it holds some of: {', '.join(SECTIONS)}")
    return data


def _read(path: Path) -> Allowed:
    data = _data(path)
    known = [f.name for f in fields(Allowed)]
    listed: Any = data.get("allow", {})
    if not isinstance(listed, dict) or set(data) - set(SECTIONS) or set(listed) - set(known):
        hint = f"it holds some of {', '.join(SECTIONS)}; 'allow' is a mapping with some of: {', '.join(known)}"
        raise ServiceError(f"{path} is not in order", hint=hint)
    for key, value in listed.items():
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise ServiceError(f"{path}: allow.{key} must be a list of texts", hint=f"allow: {{{key}: [...]}}")
    return Allowed(**{k: tuple(v) for k, v in listed.items()})


def with_sources(desired: Desired, registry: Registry, folder: Path, granted: Allowed, diagnostics: Diagnostics) -> Desired:
    """``desired`` with local sources (schema keyword ``"opens": "source"``) as absolute paths.

    X101 where one may not be read, X124 where it is not known before anything is made.
    """
    changed = dict(desired.resources)
    for path, resource in desired.resources.items():
        info = registry.get(resource.type)
        for name in info.opened if info is not None else ():
            source = resource.properties.get(name)
            if has_unknown(source):  # whoever says it later could name any file of this machine
                summary = f"{resource.path}: which file or address {name} is has to be known before anything is made"
                diagnostics.error("X124", summary, resource.mark_of(name), "say a name of an image, a path or a URL")
            local = local_path(source, folder) if isinstance(source, str) else None
            if local is None:
                continue
            if not local.is_relative_to(folder.resolve()) and not granted.may_read(str(local)):
                summary = f"{resource.path}: the file {local} may not be read: it is outside the template's folder"
                diagnostics.error("X101", summary, resource.mark_of(name), f"who owns this machine can allow it: allow.files in {places()[-1]}")
            changed[path] = replace(changed[path], properties={**changed[path].properties, name: str(local)})
    return replace(desired, resources=changed)


def check_images(desired: Desired, registry: Registry, recorded: Recorded, images: Images, diagnostics: Diagnostics) -> None:
    """K112 for an image that has to come and whose name means nothing here: said in the plan, not when half of the stack is there."""
    from stackengine.hosts.images import ImageError

    there = {instance.path for instance in recorded.instances.values()}
    for path, resource in desired.resources.items():
        info = registry.get(resource.type)
        for name in info.opened if info is not None and path not in there else ():
            source = resource.properties.get(name)
            if isinstance(source, str) and source:
                try:
                    images.lookup(source)
                except ImageError as error:
                    diagnostics.error("K112", f"{path}: {error}", resource.mark_of(name), error.hint)


def with_calls(desired: Desired, registry: Registry, granted: Allowed, diagnostics: Diagnostics, *, accept_inert: bool = False) -> Desired:
    """``desired``; X104 for what would be called on this machine (schema keyword ``"calls": true``) and is not allowed.

    R122 for what nothing here can call (an ARN of AWS); with ``accept_inert`` such a resource is only recorded.
    """
    changed = dict(desired.resources)
    for path, resource in desired.resources.items():
        info = registry.get(resource.type)
        for name in (n for n, schema in info.properties.items() if schema.get("calls")) if info is not None else ():
            called = resource.properties.get(name)
            if not isinstance(called, str):
                continue
            mark, field = resource.mark_of(name), _field_of(called)
            if not field and accept_inert:
                diagnostics.notice("R122", f"{path} is only recorded: nothing here can call {called}", mark)
                changed[path] = replace(resource, properties={**resource.properties, "inert": True})
            elif not field:
                diagnostics.error("R122", f"{path}: nothing here can call {called}", mark, "the path of a program, module:function, or an http(s) URL")
            elif not {"urls": granted.may_call, "commands": granted.may_run, "python": granted.may_import}[field](called):
                hint = f"who owns this machine can allow it: allow.{field} in {places()[-1]}"
                diagnostics.error("X104", f"{path}: {called} may not be called on this machine", mark, hint)
    return replace(desired, resources=changed)


def check_devices(desired: Desired, registry: Registry, granted: Allowed, diagnostics: Diagnostics) -> None:
    """X105 for folders and devices of this machine that guests may not get (schema keyword ``"gives": true``: a list of texts, or of mappings with a path)."""
    for path, resource in desired.resources.items():
        info = registry.get(resource.type)
        for name in (n for n, schema in info.properties.items() if schema.get("gives")) if info is not None else ():
            listed = resource.properties.get(name)
            for entry in listed if isinstance(listed, list) else [] if listed is None else [listed]:
                what = entry.get("path") if isinstance(entry, dict) else entry
                real = os.path.realpath(what) if isinstance(what, str) and what.startswith("/") else what
                if not isinstance(what, str) or not granted.may_give(what) or not granted.may_give(str(real)):
                    shown = what if isinstance(what, str) else "what is known only later"
                    hint = f"who owns this machine can allow it: allow.devices in {places()[-1]}"
                    diagnostics.error("X105", f"{path}: no guest may get {shown}", resource.mark_of(name), hint)


def _field_of(called: str) -> str:
    """Which list of the owner's a handler stands in; empty for what nothing here can call."""
    if called.startswith(("http://", "https://")):
        return "urls"
    return "commands" if called.startswith("/") else "python" if re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", called) else ""


def local_path(source: str, folder: Path) -> Path | None:
    """The file of a source that is a path or a ``file:`` URL (relative ones lie beside the template), links followed; None for names and other URLs."""
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(source)
    if parts.scheme == "file":
        return (folder / unquote(parts.path)).resolve()
    if parts.scheme in ("http", "https") or "/" not in source:
        return None
    return (folder / Path(source).expanduser()).resolve()
