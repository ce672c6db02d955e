"""A lost database is rebuilt from what the host carries: metadata of domains and networks, sidecar records of volumes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree import ElementTree as ET

from stackengine.events import Event
from stackengine.model.codec import desired_from_json, instance_from_json, instance_to_json
from stackengine.model.desired import Desired, DesiredResource
from stackengine.model.instance import Instance
from stackengine.model.values import SecretRef, has_leaf
from stackengine.sdk import KINDS, Host, HostError, NotFoundError
from stackengine.service.session import Session
from stackengine.service.types import ServiceError
from stackengine.store.errors import BusyError, ClaimConflictError
from stackengine.store.store import RevisionRow, StackRow
from stackengine.store.vault import open_seed

_STACK, _RECORD = "{urn:stackengine:1}stack", "{urn:stackengine:1}record"


@dataclass(frozen=True, slots=True)
class Found:
    """One object of ours on the host."""

    what: str
    stack: str
    stack_id: str
    path: str
    generation: int
    record: dict[str, Any]


@dataclass(slots=True)
class Recovered:
    """One stack that can be recorded again."""

    row: StackRow
    instances: dict[str, Instance] = field(default_factory=dict)
    revisions: dict[int, Desired] = field(default_factory=dict)
    """By number, what objects carry of a revision: each its own part."""
    language: str = ""
    copies: dict[str, Instance] = field(default_factory=dict)
    """By id, instances as they were when copies of their disks were taken."""

    def revision(self) -> RevisionRow | None:
        """The newest revision, as far as what is there carries it; resources that it did not touch stand as they were applied before."""
        if not self.revisions:
            return None
        newest, resources = max(self.revisions), dict[str, DesiredResource]()
        for number in sorted(self.revisions):
            resources |= self.revisions[number].resources
        return RevisionRow(newest, replace(self.revisions[newest], resources=resources), self.language)


@dataclass(frozen=True, slots=True)
class Report:
    """What the host carries: what can be recorded again, and what cannot, with the reason."""

    host: str
    stacks: tuple[Recovered, ...]
    not_recovered: tuple[tuple[str, str], ...]


def look(session: Session, uri: str) -> Report:
    """Read everything on the host that is ours and that the store does not know. Nothing is changed."""
    try:
        host = session.host(uri)
        found = [*_domains(host), *_networks(host), *_volumes(host)]
    except HostError as error:
        raise ServiceError(f"the host {uri} cannot be used: {error}", hint=error.hint or f"stack-run hosts doctor {uri}") from error
    known = {s.id for s in session.store.stacks(all_=True)}
    taken = {s.name for s in session.store.stacks()}
    stacks: dict[str, Recovered] = {}
    lost: list[tuple[str, str]] = []
    for thing in found:
        if thing.stack_id in known:
            continue
        said = f"{thing.what} ({thing.stack}: {thing.path} generation {thing.generation})"
        if not thing.record:
            lost.append((said, "it carries no record: it was made by an older version; remove it by hand, or import it"))
        elif thing.stack in taken:
            lost.append((said, f"the store has another stack of the name {thing.stack}"))
        elif (seed := open_seed(session.store.key, thing.stack_id, str(thing.record.get("recovery", "")))) is None:
            lost.append((said, "another key sealed it: put the lost store's file 'key' into the state folder, or set STACKENGINE_KEY"))
        else:
            now = time.time()
            row = StackRow(thing.stack_id, thing.stack, seed, uri, 0, 0, "failed", "recovered from its host", "", now, now, True)
            _add(stacks.setdefault(thing.stack_id, Recovered(row)), thing)
    for stack in stacks.values():
        _with_copies(stack)
        lost += _dangling(stack)
    return Report(uri, tuple(sorted(stacks.values(), key=lambda s: s.row.name)), tuple(lost))


def record(session: Session, report: Report) -> None:
    """Record what was found. Every object stays unsure until the next plan has looked at it."""
    for stack in report.stacks:
        claims = {c: i.id for i in stack.instances.values() for c in i.claims}
        instances = stack.instances.values()
        events = [Event("instance.imported", i.path, i.generation, "", {"instance": instance_to_json(i), "reason": "recovered"}) for i in instances]
        try:
            session.store.record(stack.row, stack.revision())
            session.store.amend(stack.row, events, dict(stack.instances), settings={"state": "failed", "reason": stack.row.reason}, claims=claims)
        except (BusyError, ClaimConflictError) as error:
            raise ServiceError(str(error), hint=getattr(error, "hint", "")) from error


def _add(stack: Recovered, thing: Found) -> None:
    instance = instance_from_json(thing.record["instance"])
    if thing.record.get("before"):
        other = stack.copies.get(instance.id, instance)
        stack.copies[instance.id] = instance if len(instance.copies) >= len(other.copies) else other
        return
    stack.instances[instance.id] = instance
    for data in thing.record.get("with", ()):
        companion = instance_from_json(data)
        stack.instances.setdefault(companion.id, companion)
    part = thing.record.get("revision")
    if part:
        desired, number = desired_from_json(part["desired"]), int(part["number"])
        known = stack.revisions.get(number, desired)
        stack.revisions[number] = replace(known, resources={**known.resources, **desired.resources})
        stack.language = str(part["language"])


def _with_copies(stack: Recovered) -> None:
    """Copies belong to what they were taken of; an object that only they tell of was just being brought back from the newest one."""
    for id_, then in stack.copies.items():
        whole = tuple(replace(c, status="whole") for c in then.copies)
        copies = whole if id_ in stack.instances else (*whole[:-1], replace(whole[-1], status="restoring"))
        stack.instances[id_] = stack.instances.get(id_, then).but(copies=copies)


def _dangling(stack: Recovered) -> Iterator[tuple[str, str]]:
    """What was not found: records that no object carries, objects that are gone, secrets, and what only the store had."""
    name, revision = stack.row.name, stack.revision()
    missing = {ref for i in stack.instances.values() for ref in i.refs} - stack.instances.keys()
    there = {i.path for i in stack.instances.values()} | {ref.rpartition("@")[0] for ref in missing}
    for ref in sorted(missing):
        yield f"{name}: {ref}", "nothing on the host carries its record; the next up makes it again under the same identity"
    if revision is None:
        yield f"{name}: its revisions", "an older version made what is there, and recorded none on the host; the next up makes one"
        return
    for path in sorted(revision.desired.resources.keys() - there):
        yield f"{name}: {path}", "it is in the revision, and nothing of it was found; repair or the next up makes it again"
    secret = sorted(p for p, r in revision.desired.resources.items() if has_leaf(r.properties, SecretRef))
    secret += sorted(f"output {n}" for n, o in revision.desired.outputs.items() if has_leaf(o.value, SecretRef))
    if secret:
        yield f"{name}: the secrets of {', '.join(secret)}", "no secret stands on a host; they come back with the parameters of the next up"
    yield f"{name}: the template's text, its parameters and revisions before {revision.number}", "only the lost store had them"


def _domains(host: Host) -> Iterator[Found]:
    for info in host.domain_list():
        yield from _of_xml(f"domain {info.name}", info.xml)


def _networks(host: Host) -> Iterator[Found]:
    for info in host.network_list():
        yield from _of_xml(f"network {info.name}", info.xml)


def _of_xml(what: str, xml: str) -> Iterator[Found]:
    element = ET.fromstring(xml).find(f"metadata/{_STACK}")
    if element is None:
        return
    inside = element.find(_RECORD)
    record = _parsed(inside.text or "") if inside is not None else {}
    yield Found(what, element.get("stack", ""), element.get("stack-id", ""), element.get("path", ""), int(element.get("generation", "0") or 0), record)


def _volumes(host: Host) -> Iterator[Found]:
    for pool in (p.name for p in host.pool_list() if p.active and p.type in KINDS and KINDS[p.type].takes):
        for volume in host.volume_list(pool):
            if not volume.name.endswith(".json"):
                continue
            try:
                data = _parsed(host.volume_download(pool, volume.name, 65_536).rstrip(b"\0 ").decode("utf-8", "replace"))
            except NotFoundError:
                continue
            if data.get("instance") and data.get("stack_id"):
                name = volume.name.removesuffix(".json")
                yield Found(f"volume {pool}/{name}", str(data["stack"]), str(data["stack_id"]), str(data["path"]), int(data["generation"]), data)


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
