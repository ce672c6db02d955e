"""``stack.lock`` beside a template: which content each fetched image had, so that an address that shows a newer one replaces nothing.

It is written when an operation is complete, and belongs into version control. A later ``up``, also of another stack or on another machine, takes
the very same content, or says that it cannot. ``--upgrade-images`` takes what the addresses show now, in the plan and then in the file.

E320 the file is not in order.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stackengine.hosts.runtime import write_whole
from stackengine.model.desired import Desired, DesiredResource
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.instance import Instance, Recorded
from stackengine.model.mark import Mark
from stackengine.model.values import Value
from stackengine.registry import Registry
from stackengine.service.types import Request, ServiceError

if TYPE_CHECKING:
    from stackengine.service.session import Session
    from stackengine.store.store import StackRow

FILE = "stack.lock"
_HEAD = "# Which content the images of this folder's templates had. Keep it with them; 'stack-run up --upgrade-images' takes newer ones.\n"
_log = logging.getLogger(__name__)


def read(folder: Path, diagnostics: Diagnostics) -> dict[str, str]:
    """Source (a name or an address) -> sha256, as pinned; nothing where there is no file."""
    import yaml

    file = folder / FILE
    try:
        data: Any = yaml.safe_load(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        diagnostics.error("E320", f"{FILE} cannot be read: {error}", Mark(str(file), 1, 1, 1, 1))
        return {}
    pins = data.get("images") if isinstance(data, dict) else None
    if not isinstance(pins, dict) or not all(isinstance(k, str) and isinstance(v, str) and re.fullmatch("sha256:[0-9a-f]{64}", v) for k, v in pins.items()):
        hint = "put back the one of version control, or delete it: then it is written anew"
        diagnostics.error("E320", f"{FILE} is not in order: it maps images to their checksums (sha256:…)", Mark(str(file), 1, 1, 1, 1), hint)
        return {}
    return {source: digest.removeprefix("sha256:") for source, digest in pins.items()}


def pinned(desired: Desired, recorded: Recorded, session: Session, request: Request, diagnostics: Diagnostics) -> Desired:
    """``desired`` with the checksums of what is fetched: as locked, else as recorded; what is there with that very content stays as it is."""
    named = _named(desired, session.registry)
    wanted = [(r, n, s) for r, n, s in named if not r.properties.get(n) and isinstance(s, str) and _fetched(session, s)]
    if not wanted:
        return desired
    locked = read(request.template.parent, diagnostics)
    changed, by_path = dict(desired.resources), recorded.by_path()
    for resource, name, source in wanted:
        there = _newest(by_path.get(resource.path, ()), source, session.registry)
        digest = _newest_of(session, source) if request.upgrade_images else locked.get(source, "")
        if there is not None and digest in ("", str(there.attributes.get("sha256", ""))):
            digest = str(there.properties.get(name) or "").removeprefix("sha256:")
        if digest:
            changed[resource.path] = replace(resource, properties={**resource.properties, name: f"sha256:{digest}"})
    return replace(desired, resources=changed)


def write(session: Session, row: StackRow, template: str, desired: Desired) -> None:
    """Pin what the stack stands on; what others pinned beside it stays. A folder that cannot be written to is told, and no fault."""
    if all(isinstance(source, str) and not _fetched(session, source) for _, _, source in _named(desired, session.registry)):
        return
    found, folder = dict(_stood_on(session, row)), Path(template).parent
    if not found or not Path(template).is_file():
        return
    diagnostics = Diagnostics()
    known = read(folder, diagnostics)
    if diagnostics.errors or known == {**known, **found}:
        return
    lines = [f"  {_quoted(source)}: sha256:{digest}\n" for source, digest in sorted({**known, **found}.items())]
    try:
        write_whole(folder / FILE, _HEAD + "images:\n" + "".join(lines))
    except OSError as error:
        _log.warning("images are not pinned: %s cannot be written: %s", folder / FILE, error.strerror)


def _stood_on(session: Session, row: StackRow) -> Iterator[tuple[str, str]]:
    """(source, sha256) of what a stack's fetched images have."""
    for instance in session.store.recorded(row.id).instances.values():
        for name in _pins_of(session.registry, instance.type).values():
            source, digest = instance.properties.get(name), instance.attributes.get("sha256")
            if isinstance(source, str) and isinstance(digest, str) and digest and _fetched(session, source):
                yield source, digest


def _named(desired: Desired, registry: Registry) -> Iterator[tuple[DesiredResource, str, Value]]:
    """(resource, the property for its checksum, its source, which may be unknown yet) of what names a source."""
    for resource in desired.resources.values():
        for name, of in _pins_of(registry, resource.type).items():
            source = resource.properties.get(of)
            if source and resource.external_id is None:
                yield resource, name, source


def _pins_of(registry: Registry, type_: str) -> Mapping[str, str]:
    """By property that holds a checksum (schema keyword ``"pins"``), the property whose content it is of."""
    info = registry.get(type_)
    return {n: str(s["pins"]) for n, s in info.properties.items() if s.get("pins")} if info is not None else {}


def _newest(instances: Iterable[Instance], source: str, registry: Registry) -> Instance | None:
    found = [i for i in instances if source in [i.properties.get(of) for of in _pins_of(registry, i.type).values()]]
    return max(found, key=lambda i: i.generation, default=None)


def _newest_of(session: Session, source: str) -> str:
    """The checksum of what an address shows now, which is fetched for it."""
    from stackengine.hosts.images import ImageError

    try:
        return session.images.pull(source)
    except ImageError as error:
        raise ServiceError(str(error), hint=error.hint) from error


def _fetched(session: Session, source: str) -> bool:
    from stackengine.hosts.images import ImageError

    try:
        return session.images.lookup(source).fetched
    except ImageError:
        return False


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[a-z][a-z0-9._-]*", text) else "'" + text.replace("'", "''") + "'"
