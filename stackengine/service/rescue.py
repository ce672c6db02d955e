"""Use cases on servers whose own system does not start or lets nobody in: they run from a rescue image, and go back to their own disks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stackengine.evaluate.implied import with_property
from stackengine.model.diagnostics import Diagnostics, InvalidTemplateError, did_you_mean
from stackengine.model.instance import Instance
from stackengine.service import owner, prepare
from stackengine.service.access import servers_of
from stackengine.service.session import Session
from stackengine.service.types import NotThereError, Preview, ServiceError
from stackengine.store.store import StackRow

PROPERTY = "rescue"
IMAGE = "tiny"
"""It is here without a download, starts in seconds, and mounts nothing by itself."""


def preview_rescue(session: Session, name: str, path: str, image: str = IMAGE) -> Preview:
    """The plan by which a server runs from ``image``, its own disks behind; ServiceError where it cannot. The next ``up`` goes by its template again."""
    row, revision = prepare.present(session, name)
    instance = _server(session, row, path)
    info = session.registry.get(instance.type)
    if info is None or PROPERTY not in info.properties or instance.attributes.get("adopted"):
        raise ServiceError(f"{path} was imported: its definition stays as it was found", hint="attach a rescue image to it by its host's own tools")
    if revision.desired.resources[path].properties.get(PROPERTY):
        raise ServiceError(f"{path} runs from a rescue image already", hint=f"stack-run unrescue {name} {path}")
    diagnostics = Diagnostics()
    desired = with_property(revision.desired, path, PROPERTY, image, session.registry)
    known = revision.desired.resources  # they were let in by their own up
    added = replace(desired, resources={p: r for p, r in desired.resources.items() if p not in known})
    opened = owner.with_sources(added, session.registry, Path.cwd(), session.allowed, diagnostics)
    desired = replace(desired, resources={**desired.resources, **opened.resources})
    owner.check_images(desired, session.registry, session.store.recorded(row.id), session.images, diagnostics)
    if diagnostics.errors:
        raise InvalidTemplateError(diagnostics)
    return prepare.prepare_changed(session, row, revision, desired)


def preview_unrescue(session: Session, name: str, path: str) -> Preview:
    """The plan by which it runs from its own disks again."""
    row, revision = prepare.present(session, name)
    _server(session, row, path)
    if not revision.desired.resources[path].properties.get(PROPERTY):
        raise ServiceError(f"{path} runs from its own disks", hint=f"stack-run rescue {name} {path} lets it run from another image")
    return prepare.prepare_changed(session, row, revision, with_property(revision.desired, path, PROPERTY, None, session.registry))


def _server(session: Session, row: StackRow, path: str) -> Instance:
    known = {i.path: i for i in servers_of(session, row)}
    if path not in known:
        raise NotThereError(f"{row.name} has no server {path}", hint=did_you_mean(path, list(known)) or f"it has: {', '.join(known) or 'none'}")
    return known[path]
