"""From a request to a preview: read, evaluate, seal, gather the ground, plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stackengine.evaluate import Secrets, evaluate, seal
from stackengine.model.desired import Desired, DesiredResource, Scope
from stackengine.model.diagnostics import Diagnostics, InvalidTemplateError
from stackengine.model.instance import Recorded
from stackengine.model.template import Source, Template
from stackengine.model.values import SecretRef, Sensitive, Value, leaves, reveal
from stackengine.planning import make_plan
from stackengine.planning.ground import Ground
from stackengine.planning.moves import Amendment, due, moves_of, rename
from stackengine.planning.plan import Plan
from stackengine.planning.protection import denied
from stackengine.planning.provisioned import carried
from stackengine.planning.ranges import MAPPED, remapped
from stackengine.sdk import Host, HostError
from stackengine.service import keys, owner, pins, sources
from stackengine.service.external import looked_for
from stackengine.service.grounds import gather
from stackengine.service.outside import OtherStacks, check_exports
from stackengine.service.placing import Placing
from stackengine.service.procedures import with_procedure
from stackengine.service.session import DEFAULT_HOST, Session
from stackengine.service.types import NotThereError, OperationKind, Preview, Request, ServiceError

if TYPE_CHECKING:
    from stackengine.store.store import RevisionRow, StackRow
    from stackengine.store.vault import StackVault


@dataclass(frozen=True, slots=True)
class Prepared:
    """What carrying a preview out needs."""

    stack: StackRow
    vault: StackVault
    revision: RevisionRow | None
    """The new revision to record; None when the plan aims at one that is there."""
    keys: keys.StackKeys | None = None
    aim: Mapping[str, Any] = field(default_factory=dict)
    """Targets, forced generations, skipped paths: kept with the operation, so that it can be planned again."""
    before: Amendment = field(default_factory=Amendment)
    """What is written before the operation begins: renamings, adopted and released objects."""


def find_stack(session: Session, name: str) -> StackRow:
    """The stack of this name; ServiceError with a hint when there is none."""
    from stackengine.model.diagnostics import did_you_mean

    row = session.store.stack(name)
    if row is None:
        known = [s.name for s in session.store.stacks()]
        raise NotThereError(f"there is no stack {name}", hint=did_you_mean(name, known) or "see 'stack-run ls'")
    return row


IN_THE_WAY = frozenset(("S255", "S263", "S275", "S276", "S277", "S278", "S293", "X122", "X123"))
"""What a valid TOSCA template may have, but not one that is made: requirements that nothing fulfils, types that are only recorded, operations that
cannot run, nodes that nothing substitutes, code of the template on this machine. The checks warn of it."""


def prepare_up(session: Session, request: Request) -> Preview:
    """The plan of ``up``: to a new revision made of the template."""
    diagnostics = Diagnostics()
    template, environment = sources.read_all(request.template, request.environments, diagnostics, session.allowed, given=request.parameters)
    template = with_procedure(template, request)
    diagnostics.promote(IN_THE_WAY - ({"S263"} if request.accept_inert else set()))
    others = OtherStacks(session, request.name)
    environment = replace(environment, outside=others)
    from stackengine.store.store import RevisionRow  # not for `validate`, which needs no database

    known = session.store.stack(request.name)
    uri = session.settings.host or (known.host if known else DEFAULT_HOST)
    if known is not None and known.host != uri:
        raise ServiceError(f"the stack {request.name} is on {known.host}, not on {uri}", hint="leave --host away, or choose another --name", exit_code=2)
    row = known or session.store.fresh(request.name, uri, template.language)
    scopes = session.store.scopes(row.id, row.revision) if known is not None and known.revision else {}
    vault = session.store.vault(row.id)
    evaluated = evaluate(
        template, request.given_for(template.parameters), session.registry, stack_name=row.name, stack_id=row.id, diagnostics=diagnostics,
        environment=environment, previous=_opened(scopes, template, vault), missing="record" if request.accept_inert else "refuse",
    )  # fmt: skip
    if evaluated is None:
        raise InvalidTemplateError(diagnostics)
    opened = owner.with_sources(evaluated.desired, session.registry, request.template.parent, session.allowed, diagnostics)
    opened = owner.with_calls(opened, session.registry, session.allowed, diagnostics, accept_inert=request.accept_inert)
    owner.check_devices(opened, session.registry, session.allowed, diagnostics)
    recorded = session.store.recorded(row.id) if known is not None else Recorded()
    opened, chosen_on = with_free_ranges(session, row, opened, recorded, diagnostics, remap=request.remap)
    opened = request.shaped(session, opened, recorded, diagnostics) if request.shaped is not None else carried(opened, recorded)
    takes_keys = _takes_keys(opened, session)
    stack_keys = keys.keys_of(session.folder, row.id) if takes_keys else None
    desired = sealed(_with_keys(opened, takes_keys, stack_keys) if stack_keys is not None else opened, vault)
    check_exports(others, row, desired, diagnostics)
    recorded, before = moved(session, row, recorded, desired)
    desired = pins.pinned(desired, recorded, session, request, diagnostics)
    placing = Placing(session, row.name, row.host, desired, recorded, diagnostics)
    placed = placing.new() if known is None and not session.settings.host else placing.onto(row.host)
    if placed is None or diagnostics.errors:
        raise InvalidTemplateError(diagnostics)
    row, desired = replace(row, host=placed.home), placed.within(desired)
    owner.check_images(desired, session.registry, recorded, session.images, diagnostics)
    number = session.store.next_revision(row.id) if known else 1
    files = _cleaned((*template.sources, *_environment_sources(request)), evaluated.parameters)
    revision = RevisionRow(number, desired, template.language, str(request.template), files, seal(evaluated.parameters, vault))
    kind: OperationKind = "update" if known is not None and known.revision else "create"
    aim = request_options(request, recorded)
    preview = plan_to(session, row, vault, desired, recorded, kind, number, diagnostics, aim=aim, policy=request.policy, chosen_on=chosen_on)
    by_default = known is None and not session.settings.host and row.host == DEFAULT_HOST
    return replace(
        preview, sources=files, parameters=evaluated.parameters, request=request, host_is_default=by_default,
        prepared=Prepared(row, vault, revision, stack_keys, aim, before), new_stack=known is None,
    )  # fmt: skip


def with_free_ranges(
    session: Session, row: StackRow, desired: Desired, recorded: Recorded, diagnostics: Diagnostics, *, remap: bool
) -> tuple[Desired, Ground | None]:
    """``desired`` with ranges that others have mapped to free ones, where that is asked for; and as they were mapped before, where it was.

    With it the ground on which that was chosen, where it was looked at: a plan on a later one would find ranges taken that nobody mapped.
    """
    before = session.store.shared(row.id, row.revision).get(MAPPED, {}) if row.revision else {}
    if not remap and not before:
        return desired, None
    ground = gather(session, row, recorded, open_host_of(session, row))
    errors = len(diagnostics.errors)
    found = remapped(desired, before, recorded, ground, session.registry, diagnostics, may=remap)
    if len(diagnostics.errors) > errors:
        raise InvalidTemplateError(diagnostics)
    return found, ground


def _opened(scopes: Mapping[str, Scope], template: Template, vault: StackVault) -> Mapping[str, Scope]:
    """``scopes`` with the hidden parameters that may not change opened, so that they can be compared."""
    root = scopes.get("")
    lasting = [n for n, p in template.parameters.items() if p.immutable and root is not None and isinstance(root.parameters.get(n), SecretRef)]
    if root is None or not lasting:
        return scopes
    known = {n: Sensitive(vault.open(v)) for n in lasting if isinstance(v := root.parameters[n], SecretRef)}
    return {**scopes, "": replace(root, parameters={**root.parameters, **known})}


def _cleaned(files: tuple[Source, ...], parameters: Mapping[str, Value]) -> tuple[Source, ...]:
    """What was read, as it is recorded: without the values of hidden parameters, wherever a default or an environment file says them."""
    from stackengine.engine.redact import Redactor

    redactor = Redactor()
    for value in parameters.values():
        for leaf in leaves(value):
            if isinstance(leaf, Sensitive):
                redactor.learn(reveal(leaf))
    return tuple(Source(f.name, redactor.text(f.text)) for f in files)


def _environment_sources(request: Request) -> list[Source]:
    return [Source(str(p), sources.read_text(p)) for p in request.environments]


def prepare_revision(session: Session, row: StackRow, number: int, kind: OperationKind, skip: Sequence[str] = ()) -> Preview:
    """The plan to a revision that is recorded (0 is empty); ``skip``: paths that stay as they are."""
    try:
        target = session.store.revision(row.id, number)
    except KeyError:
        raise NotThereError(f"the stack {row.name} has no revision {number}", hint=f"'stack-run show {row.name}' lists them") from None
    vault, diagnostics = session.store.vault(row.id), Diagnostics()
    aim: dict[str, Any] = {"skip": list(skip)} if skip else {}
    if kind == "rollback":
        aim["since"] = made_in_vain(session, row)
    check_exports(OtherStacks(session, row.name), row, target.desired, diagnostics)
    recorded, before = moved(session, row, session.store.recorded(row.id), target.desired)
    preview = plan_to(session, row, vault, target.desired, recorded, kind, number, diagnostics, aim=aim)
    return replace(preview, prepared=Prepared(row, vault, None, aim=aim, before=before))


def present(session: Session, name: str) -> tuple[StackRow, RevisionRow]:
    """A stack and its present revision; ServiceError with a hint when there is no such stack, or none yet."""
    row = find_stack(session, name)
    if not row.revision:
        raise ServiceError(f"the stack {name} has no revision", hint=f"stack-run up makes one; stack-run show {name}")
    return row, session.store.revision(row.id, row.revision)


def prepare_changed(
    session: Session, row: StackRow, revision: RevisionRow, desired: Desired, *, records: tuple[Recorded, Amendment] | None = None,
    policy: dict[str, Any] | None = None,
) -> Preview:  # fmt: skip
    """The plan to a new revision that is ``revision`` but for what is desired. ``records``: what is recorded, and what is written first, if not as it is."""
    vault, number, diagnostics = session.store.vault(row.id), session.store.next_revision(row.id), Diagnostics()
    recorded, before = records or moved(session, row, session.store.recorded(row.id), desired)
    preview = plan_to(session, row, vault, desired, recorded, "update", number, diagnostics, aim={}, policy=policy)
    return replace(preview, prepared=Prepared(row, vault, replace(revision, number=number, desired=desired), before=before))


def moved(session: Session, row: StackRow, recorded: Recorded, target: Desired) -> tuple[Recorded, Amendment]:
    """What is recorded under the paths that ``target`` knows it by."""
    moves = due([*moves_of(target), *session.store.moves(row.id)], recorded, target) if recorded.instances else []
    return rename(recorded, moves) if moves else (recorded, Amendment())


def plan_to(
    session: Session, row: StackRow, vault: StackVault, desired: Desired, recorded: Recorded, kind: OperationKind, number: int, diagnostics: Diagnostics, *,
    aim: Mapping[str, Any], policy: dict[str, Any] | None = None, chosen_on: Ground | None = None,
) -> Preview:  # fmt: skip
    """Plan from what is recorded to ``desired``; InvalidTemplateError when the plan has errors. ``policy`` counts in place of the stack's own.

    ``chosen_on``: see :func:`with_free_ranges`.
    """
    host = open_host_of(session, row)
    plan = make(session, row, vault, desired, recorded, host, aim, returning=kind in ("rollback", "delete"), chosen_on=chosen_on)
    diagnostics.extend(plan.diagnostics)
    counts = row.policy if policy is None else policy
    if counts is not None and kind == "update":
        diagnostics.extend(denied(plan, counts, desired))
    if diagnostics.errors:
        raise InvalidTemplateError(diagnostics)
    return Preview(
        row.name, kind, plan, desired, recorded, diagnostics, row.host, simulated=bool(getattr(host, "simulated", False)), from_revision=row.revision,
        to_revision=number,
    )  # fmt: skip


def open_host_of(session: Session, row: StackRow) -> Host:
    """The host of a stack; ServiceError with a hint when it cannot be had, or when another one was named."""
    if session.settings.host not in ("", row.host):
        raise ServiceError(f"the stack {row.name} is on {row.host}, not on {session.settings.host}", hint="leave --host (STACKENGINE_HOST) away", exit_code=2)
    try:
        return session.host(row.host)
    except HostError as error:
        raise ServiceError(f"the host {row.host} cannot be used: {error}", hint=error.hint or f"stack-run hosts doctor {row.host}") from error


def request_options(request: Request, recorded: Recorded) -> dict[str, Any]:
    """What an operation keeps of its request, so that it can be planned again: targets, and forced paths with the first generation that will do."""
    adopting = {"adopting": list(request.adopting)} if request.adopting else {}
    return {**adopting, "targets": list(request.targets), "replace": {p: recorded.generations.get(p, 0) + 1 for p in request.replace}}


def made_in_vain(session: Session, row: StackRow) -> dict[str, int]:
    """By path, the first generation that was made since the revision that stands was reached: the way back takes what is from before.

    What is newer is not always different: a replacement by force is equal to what it replaces, and so is what had to go with it.
    """
    last = session.store.last_operation(row.id)
    stands = last is None or row.state in ("complete", "rolled_back") or (last.kind != "rollback" and last.to_revision == row.revision)
    return {} if last is None or stands else dict(last.options.get("since", {}))


def make(
    session: Session, row: StackRow, vault: Secrets, desired: Desired, recorded: Recorded, host: Host, aim: Mapping[str, Any], *, returning: bool,
    undoing: frozenset[str] = frozenset(), chosen_on: Ground | None = None,
) -> Plan:  # fmt: skip
    """The plan on the ground as it is now; ``aim`` is what :func:`request_options` made.

    ``returning``: back to a recorded revision; ``undoing``: what the operation has made that is taken back; ``chosen_on``: see :func:`with_free_ranges`.
    """
    outside = looked_for(desired, session.registry, host)
    found = gather(session, row, recorded, host, desired, returning=returning, adopting=frozenset(aim.get("adopting", ())))
    ground = replace(found if chosen_on is None else found.as_taken(chosen_on), undoing=undoing, external=outside)
    targets = () if returning else aim.get("targets", ())
    skip = aim.get("skip", ())
    forced = {**aim.get("replace", {}), **(aim.get("since", {}) if returning else {})}
    return make_plan(desired, recorded, ground, session.registry, targets=targets, replace=forced, secrets=vault, skip=skip)


def sealed(desired: Desired, vault: Secrets) -> Desired:
    """``desired`` with every secret sealed: the form that is planned with and recorded."""

    def resource(r: DesiredResource) -> DesiredResource:
        properties, metadata, external = seal(r.properties, vault), seal(r.metadata, vault), seal(r.external_id, vault)
        if properties is r.properties and metadata is r.metadata and external is r.external_id:
            return r
        return replace(r, properties=properties, metadata=metadata, external_id=external)

    resources = {p: resource(r) for p, r in desired.resources.items()}
    outputs = {n: replace(o, value=seal(o.value, vault)) for n, o in desired.outputs.items()}
    scopes = {p: replace(s, parameters=seal(s.parameters, vault)) for p, s in desired.scopes.items()}
    return replace(desired, resources=resources, outputs=outputs, scopes=scopes)


def _takes_keys(desired: Desired, session: Session) -> dict[str, list[str]]:
    """By type of resource that is there, the properties that its schema marks with ``"inject": "ssh-keys"``."""
    found = {}
    for type_ in {r.type for r in desired.resources.values()}:
        info = session.registry.get(type_)
        wanting = [n for n, s in info.properties.items() if s.get("inject") == "ssh-keys"] if info else []
        if wanting:
            found[type_] = wanting
    return found


def _with_keys(desired: Desired, takes_keys: dict[str, list[str]], stack_keys: keys.StackKeys) -> Desired:
    """Servers that name no key get the stack's."""
    changed: dict[str, DesiredResource] = {}
    for path, resource in desired.resources.items():
        takes = takes_keys.get(resource.type, ()) if resource.external_id is None else ()
        missing = {n: list(stack_keys.public) for n in takes if not resource.properties.get(n)}
        changed[path] = replace(resource, properties={**resource.properties, **missing}) if missing else resource
    return replace(desired, resources=changed)
