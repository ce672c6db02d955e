"""Taking objects over and letting them go, renaming them: each a plan like any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stackengine.events import Event
from stackengine.model.codec import instance_to_json
from stackengine.model.desired import Desired
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.instance import Instance, Piece, Recorded
from stackengine.model.values import has_unknown
from stackengine.planning.choose import dependency_order
from stackengine.planning.moves import Amendment, rename, renamed
from stackengine.sdk import DRIFT, HostError, RefusedError
from stackengine.service import drift, prepare
from stackengine.service.prepare import Prepared
from stackengine.service.session import Session
from stackengine.service.types import NotThereError, Preview, Request, ServiceError
from stackengine.store.store import RevisionRow, StackRow


def preview_mv(session: Session, name: str, old: str, new: str) -> Preview:
    """Rename a logical id in the stack's current revision; the object stays as it is, and learns its new name."""
    row, revision = prepare.present(session, name)
    _known(revision.desired, name, old)
    if new in revision.desired.resources or any(i.path == new for i in session.store.recorded(row.id).instances.values()):
        raise ServiceError(f"{name} has a resource {new} already", hint="choose another name", exit_code=2)
    desired = renamed(revision.desired, {old: new})
    recorded, before = rename(session.store.recorded(row.id), [(old, new)])
    return _plan(session, row, revision, desired, recorded, before)


def preview_forget(session: Session, name: str, path: str) -> Preview:
    """Let an object go without touching it: it stays on its host, and belongs to nobody."""
    row, revision = prepare.present(session, name)
    _known(revision.desired, name, path)
    needed = sorted(r.path for r in revision.desired.resources.values() if any(d.path == path for d in r.depends))
    if needed:
        raise ServiceError(f"{', '.join(needed)} of {name} need{'s' if len(needed) == 1 else ''} {path}", hint="forget those first, or change the template")
    recorded, before = session.store.recorded(row.id), Amendment()
    for instance in list(recorded.of(path)):
        kept = replace(instance, policies=replace(instance.policies, deletion="Retain", update_replace="Retain"), protected=False)
        recorded.instances[kept.id] = kept
        before.events.append(Event("instance.imported", path, kept.generation, "", {"instance": instance_to_json(kept), "reason": "to be forgotten"}))
        before.changed[kept.id] = kept
    resources = {p: r for p, r in revision.desired.resources.items() if p != path}
    return _plan(session, row, revision, replace(revision.desired, resources=resources), recorded, before)


def preview_import(session: Session, request: Request, pairs: Sequence[tuple[str, str]]) -> Preview:
    """Adopt objects that are on the host under logical ids of a template (``pairs``: path, id); refused (X207) where that would change one."""
    preview = prepare.prepare_up(session, replace(request, adopting=tuple(id_ for _, id_ in pairs)))
    wanted = dict(pairs)
    for path in wanted:
        _known(preview.desired, request.name, path)
    for path in dependency_order(preview.desired):
        if path in wanted:
            preview = _with_adopted(session, preview, path, wanted[path])
    for path, id_ in wanted.items():  # what one of them adds to another (a server its address to a network) comes with it
        _unchanged(preview, path, id_)
    return preview


def _with_adopted(session: Session, plain: Preview, path: str, physical_id: str) -> Preview:
    """The plan in which one more object is the stack's."""
    prepared: Prepared = plain.prepared
    row, host = prepared.stack, prepare.open_host_of(session, prepared.stack)
    planned = next((a.instance for a in plain.plan.actions.values() if a.path == path and a.verb == "create"), None)
    if planned is None or any(plain.recorded.of(path)):
        raise ServiceError(f"{row.name} has an object for {path} already", hint=f"stack-run show {row.name} {path}")
    if has_unknown(planned.properties):
        raise ServiceError(f"{path} refers to what is not there yet", hint="bring that up or import it first, or with it: import TEMPLATE PATH ID PATH ID")
    info = session.registry.types[planned.type]
    try:
        found = info.handler.adopt(host, physical_id, planned.identity, planned.properties)
    except (HostError, RefusedError) as error:
        raise ServiceError(f"{physical_id}: {error}", hint=error.hint or "stack-run import --write-template writes down what is there") from error
    if found is None:
        raise ServiceError(f"a {planned.type} cannot be imported", hint="servers, volumes and networks can")
    identity, attributes = found
    adopted = replace(
        planned, identity=identity, attributes=attributes, claims=(), sure=True, lived=True, status="ready", holds=planned.refs,
        exclusive=info.handler.exclusive(identity, planned.properties), fixed=info.handler.fixed(identity, planned.properties),
        pieces=(Piece("0", row.host, str(identity["physical_id"]), "ready"),), contributed={},
    )  # fmt: skip
    _same(session, row, plain.recorded, adopted)
    seen = {DRIFT: [{"prop": "owner", "expected": row.name, "found": None, "why": "imported as it is"}]}
    before = Amendment(
        [*prepared.before.events, Event("instance.imported", path, adopted.generation, "", {"instance": instance_to_json(adopted), "reason": "imported"}),
         Event("observed", path, adopted.generation, "", {"properties": seen})],
        {**prepared.before.changed, adopted.id: adopted}, prepared.before.claims,
    )  # fmt: skip
    recorded = replace(
        plain.recorded, instances={**plain.recorded.instances, adopted.id: adopted}, generations={**plain.recorded.generations, path: adopted.generation},
        observed={**plain.recorded.observed, adopted.id: seen},
    )  # fmt: skip
    again = prepare.plan_to(session, row, prepared.vault, plain.desired, recorded, plain.kind, plain.to_revision, Diagnostics(), aim=prepared.aim)
    return replace(plain, plan=again.plan, recorded=recorded, prepared=replace(prepared, before=before))


AS_IT_IS = "say in the template what the object is: stack-run import --write-template NAME shows it"


def _unchanged(preview: Preview, path: str, physical_id: str) -> None:
    """ServiceError (X207) where the plan changes an object that is imported, besides telling it whose it is and who is on it."""
    actions = [a for a in preview.plan.actions.values() if a.path == path]
    wrong = [c.prop for a in actions for c in a.changes if c.prop != "owner" and not (c.prop.startswith("contributed.") and c.effect == "live")]
    if wrong or any(a.verb != "update" for a in actions):
        raise ServiceError(f"X207: importing {physical_id} as {path} would change it: {', '.join(wrong) or 'it would be replaced'}", hint=AS_IT_IS)


def _same(session: Session, row: StackRow, recorded: Recorded, adopted: Instance) -> None:
    """ServiceError (X207) with every property in which the object and the template differ."""
    host = prepare.open_host_of(session, row)
    known = replace(recorded, instances={**recorded.instances, adopted.id: adopted})
    observed = drift.Reader(session, row, known, lambda _: host).read(adopted)
    differs = [d for d in drift.differences_of(session, adopted, observed, host) if d.effect != "none"]
    if differs:
        said = "; ".join(f"{d.prop or 'it'}: the template says {d.expected!r}, the host has {d.found!r}" for d in differs)
        raise ServiceError(f"X207: {adopted.path} is not as the template says: {said}", hint="change the template until there is no difference")


def _known(desired: Desired, name: str, path: str) -> None:
    if path not in desired.resources:
        raise NotThereError(f"{name} has no resource {path}", hint=did_you_mean(path, desired.resources) or f"stack-run show {name}")


def _plan(session: Session, row: StackRow, revision: RevisionRow, desired: Desired, recorded: Recorded, before: Amendment) -> Preview:
    return prepare.prepare_changed(session, row, revision, desired, records=(recorded, before), policy={"Statement": [_ALL]})


_ALL = {"Effect": "Allow", "Action": "Update:*", "Resource": "*"}
"""A renaming or a release changes no object: no stack policy speaks of it."""
