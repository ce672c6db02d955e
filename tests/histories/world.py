"""One stack on one strict host, and everything that must hold after every host call and every commit."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from typing import Literal as OneOf

import sqlalchemy as sa

from histories.chance import INJECTED, Chance
from histories.hands import Crew, SeededHands
from histories.host import ThingHost
from histories.memory_store import MemoryStore
from stackengine import registry
from stackengine.engine import journal as fold
from stackengine.events import Event
from stackengine.hosts.memory.faults import Crash
from stackengine.model.desired import Dependency, Desired, DesiredResource
from stackengine.model.diagnostics import Diagnostics, InvalidTemplateError
from stackengine.model.expr import Attr, Literal, Ref
from stackengine.model.instance import Recorded
from stackengine.model.template import Policies
from stackengine.model.values import Sensitive, Unknown
from stackengine.planning.plan import Action, Plan
from stackengine.service import operations, prepare
from stackengine.service.session import Session
from stackengine.service.types import OperationKind, OperationResult, Preview, Request, Settings
from stackengine.store import tables as t
from stackengine.store.database import Database
from stackengine.store.store import RevisionRow, Store
from stackengine.store.vault import load_key

Spec = dict[str, Any]
SECRET = "hush-%s-hush"
_LEVEL = {"configured": 1, "ready": 2, "done": 2}


@cache
def types() -> registry.Registry:
    return registry.load([Path(__file__).parent / "thing"], entry_points=False)


class ChancyDatabase(Database):
    """Every commit has two sides on which the process may end."""

    chance: Chance | None = None

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        if self.chance is not None:
            self.chance.place("before commit", host=False)
        with super().writing() as connection:
            yield connection
        if self.chance is not None:
            self.chance.place("after commit", host=False)


class ChancyStore(Store):
    """A store on tmpfs."""

    def __init__(self, folder: Path) -> None:
        self.database, self.folder = ChancyDatabase(f"sqlite:///{folder / 'lab.db'}"), folder
        self._key = load_key(folder)


@dataclass
class Ground:
    """A store for many worlds; made anew now and then, so that it does not grow without end."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="histories-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)))

    def __post_init__(self) -> None:
        self.store = ChancyStore(self.folder)
        self.used = 0
        weakref.finalize(self, shutil.rmtree, self.folder, True)


_grounds: list[Ground] = []


def shared_ground() -> Ground:
    if not _grounds or _grounds[0].used >= 150:
        _grounds[:] = [Ground()]
    _grounds[0].used += 1
    return _grounds[0]


def desired_of(specs: Mapping[str, Spec]) -> Desired:
    """Things in short form: plain properties, and others by path (``needs``, ``base``, ``joins``, ``spans``, ``learns``, ``springs``, ``after``)."""
    return Desired({path: _resource(path, spec) for path, spec in specs.items()})


def _resource(path: str, spec: Spec) -> DesiredResource:
    if spec.get("external"):
        return DesiredResource(path, "Lab::Thing", {}, external_id=spec["external"])
    named = ("kind", "size", "mode", "room", "name", "devices", "loans", "gate")
    plain = {k: v for k, v in spec.items() if k in named and v is not None and v is not False and v != [] and not (k == "room" and v == 0)}
    properties: dict[str, Any] = dict(plain)
    depends: list[Dependency] = []
    if spec.get("needs"):
        properties["needs"] = [Unknown(Ref(p)) for p in spec["needs"]]
        depends += [Dependency(p, "configured", "needs") for p in spec["needs"]]
    for name in ("base", "joins", "spans"):
        if spec.get(name):
            properties[name] = Unknown(Ref(spec[name]))
            depends.append(Dependency(spec[name], "configured", name))
    for name, told in (("learns", "learned"), ("springs", "sprung")):
        if spec.get(name):
            other, _, attribute = spec[name].partition(".")
            properties[told] = Unknown(Attr(other, (Literal(attribute or "serial"),)))
            depends.append(Dependency(other, "configured", told))
    depends += [Dependency(p, "ready", "depends_on") for p in spec.get("after") or ()]
    if spec.get("secret") is not None:
        properties["secret"] = Sensitive(SECRET % spec["secret"])
    found = {d.path: d for d in sorted(depends, key=lambda d: d.need == "ready")}
    return DesiredResource(path, spec.get("type", "Lab::Thing"), properties, tuple(found.values()), Policies(**spec.get("policies", {})))


class World:
    """A stack from its first ``up`` to its ``down``, on a host of its own."""

    def __init__(self, seed: int = 0, store: OneOf["memory", "sqlite"] = "sqlite") -> None:
        self.ground = shared_ground() if store == "sqlite" else None
        self.name = f"lab-{self.ground.used if self.ground else 0}-{seed}"
        self.chance = Chance(seed)
        self.crew = Crew(self.chance)
        self.host = ThingHost(f"lab://{self.name}", self._point)
        self.store: Any = self.ground.store if self.ground else MemoryStore(self.chance)
        if self.ground:
            self.ground.store.database.chance = self.chance  # type: ignore[attr-defined]
        self.log = Recorded()
        self.seen = 0
        self.events: list[Event] = []
        self.plan = Plan()
        self.started: list[str] = []
        self.early = False
        self.specs: dict[int, dict[str, Spec]] = {0: {}}
        self.lived: dict[int, dict[str, str]] = {0: {}}
        """By revision: path -> serial of the thing that stood for it when the revision was complete."""
        self._level: dict[str, int] = {}
        self.stack_id = ""
        self.checks: list[Callable[[Plan, Desired, Recorded, Mapping[str, int], bool], None]] = []
        self.forced: dict[str, int] = {}
        self.targets: tuple[str, ...] = ()

    # sessions: each command is a process of its own

    def session(self) -> Session:
        found = Session(Settings(state=str(self.ground.folder if self.ground else "/nowhere"), host=self.host.uri), SeededHands(self.crew, self._walk_begins))
        found._store = self.store
        found.__dict__["registry"] = types()
        found._hosts[self.host.uri] = self.host  # type: ignore[assignment]
        return found

    def row(self) -> Any:
        return self.store.stack(self.name)

    def preview(self, specs: Mapping[str, Spec], *, replace_: tuple[str, ...] = (), targets: tuple[str, ...] = ()) -> Preview:
        """What ``service.prepare.prepare_up`` does once a template is evaluated."""
        session, store = self.session(), self.store
        known = store.stack(self.name)
        row = known or store.fresh(self.name, self.host.uri, "hot")
        vault = store.vault(row.id)
        desired = prepare.sealed(desired_of(specs), vault)
        number = store.next_revision(row.id) if known else 1
        request = Request(self.name, Path("-"), targets=targets, replace=replace_)
        recorded = store.recorded(row.id) if known else Recorded()
        aim = prepare.request_options(request, recorded)
        kind: OperationKind = "update" if known and known.revision else "create"
        preview = prepare.plan_to(session, row, vault, desired, recorded, kind, number, Diagnostics(), aim=aim)
        prepared = prepare.Prepared(row, vault, RevisionRow(number, desired, "hot"), aim=aim)
        return replace(preview, request=request, new_stack=known is None, prepared=prepared)

    def up(self, specs: Mapping[str, Spec], *, replace_: tuple[str, ...] = (), targets: tuple[str, ...] = (), **options: Any) -> OperationResult:
        preview = self.preview(specs, replace_=replace_, targets=targets)
        self.targets = targets
        self.specs[preview.to_revision] = {p: dict(s) for p, s in specs.items()}
        return self._run(lambda: operations.carry_out(self.session(), preview, watch=self._take, **options))

    def down(self) -> OperationResult | None:
        """None: it went away before, by an operation that died as soon as that was recorded."""
        if self.store.stack(self.name) is None:
            return None
        preview = prepare.prepare_revision(self.session(), self.row(), 0, "delete")
        return self._run(lambda: operations.carry_out(self.session(), preview, on_failure="keep", watch=self._take))

    def rollback(self, to: int) -> OperationResult:
        preview = prepare.prepare_revision(self.session(), self.row(), to, "rollback")
        return self._run(lambda: operations.carry_out(self.session(), preview, on_failure="keep", watch=self._take))

    def resume(self) -> OperationResult | None:
        return self._run(lambda: operations.resume(self.session(), self.name, self._take))

    def _run(self, work: Callable[[], Any]) -> Any:
        self.early = False
        try:
            result = work()
        except Crash:
            self.crew.close()
            self._catch_up()
            raise
        finally:
            self.crew.current = None
        if result is not None:
            self._catch_up()
            self._after(result)
        return result

    # what is seen on the way

    def _walk_begins(self, plan: Plan) -> None:
        self.plan, self._level = plan, {}
        active = self.store.active(self.row().id)
        self.forced = {} if active.kind in ("rollback", "delete") else active.options.get("replace", {})
        self.early |= any(a.phase == "early" and a.verb == "delete" for a in plan.actions.values())
        if not self.stack_id:
            self.stack_id = self.row().id
        for check in self.checks if not self.targets else ():
            check(plan, self.wanted(), self.log, self.forced, active.kind in ("rollback", "delete"))

    def wanted(self) -> Desired:
        """What the operation under way aims at."""
        active = self.store.active(self.stack_id)
        assert active is not None
        return self.store.revision(self.stack_id, active.to_revision).desired

    def _take(self, event: Event) -> None:
        """An event that is durable."""
        if event.seq <= self.seen:
            return
        assert event.seq == self.seen + 1, f"event {event.seq} after {self.seen}"
        self.seen = event.seq
        self.events.append(event)
        if event.kind == "action.begin":
            self._begins(event)
        fold.apply(self.log, event)
        self._reached(event)
        known = {i.physical_id for i in self.log.instances.values()}
        assert set(self.host.things) <= known, f"on the host, not in the journal: {set(self.host.things) - known}"
        copies = {name for i in self.log.instances.values() for c in i.copies for _, _, name in c.disks}
        assert set(self.host.copies) <= copies, f"copies on the host, not in the journal: {set(self.host.copies) - copies}"

    def _catch_up(self) -> None:
        """Take in what became durable and was not told any more."""
        if not self.stack_id:
            row = self.row()
            self.stack_id = row.id if row else ""
        for event in self.store.events(self.stack_id, self.seen, 100_000):
            self._take(event)

    def _action(self, event: Event) -> Action:
        id_ = f"{event.verb}:{event.instance_id}"
        return self.plan.actions[f"{id_}:{event.payload['of']}" if event.payload.get("of") else id_]

    def _begins(self, event: Event) -> None:
        action = self._action(event)
        self.started.append(action.id)
        for edge in action.after:
            got = self._level.get(edge.action, 0)
            assert got >= _LEVEL[edge.need], f"{action.id} began before {edge.action} was {edge.need}"
        if action.phase == "tail":
            open_ = [a.id for a in self.plan.actions.values() if a.phase != "tail" and self._level.get(a.id, 0) < 2]
            assert not open_, f"{action.id} is in the cleanup tail and began before {open_}"

    def _reached(self, event: Event) -> None:
        if event.kind in ("action.configured", "action.ready", "action.done", "action.skipped"):
            level = 1 if event.kind == "action.configured" else 2
            self._level[self._action(event).id] = level

    def _point(self, side: str, call: str, me: str) -> None:
        self.crew.point(side, call, me)
        if side == "before":
            found = next((i for i in self.log.instances.values() if i.physical_id == me), None)
            assert found is not None, f"{call} {me} before its begin was durable"
            allowed = {"put": ("creating", "updating"), "start": ("creating", "updating"), "drop": ("deleting",), "stop": ("creating", "updating", "deleting")}
            allowed |= dict.fromkeys(("copy", "toss"), (found.status,))
            assert found.status in allowed.get(call, ()) or found.power == "unknown", f"{call} {me} while it is {found.status}"

    # what must hold when an operation has ended

    def _after(self, result: OperationResult) -> None:
        for failure in [*result.failures, *result.rollback_failures]:
            on_purpose = INJECTED in failure.message or "on purpose" in failure.message
            assert on_purpose or "turned out different" in failure.message, f"the host refused: {failure}"
        self.check_records()
        if result.status == "complete" and result.kind == "delete":
            assert not self.host.things, f"left on the host: {list(self.host.things)}"
            assert not self.host.copies, f"copies left on the host: {list(self.host.copies)}"
            self.check_gone()
        elif result.status in ("complete", "rolled_back") and result.operation and not self.targets:
            self.check_converged(self.row().revision)

    def check_records(self) -> None:
        """Tables and log say the same; no secret stands anywhere."""
        recorded = self.store.recorded(self.stack_id)
        again = fold.fold(self.store.events(self.stack_id, 0, 100_000))
        assert recorded.instances == again.instances, "the fold of the log is not what the tables say"
        assert recorded.generations == again.generations
        assert recorded.signals == again.signals
        assert recorded.observed == again.observed
        self.check_secrets()
        if self.store.active(self.stack_id) is None:
            self.check_claims(recorded)

    def check_secrets(self) -> None:
        if self.ground is None:
            for text in map(json.dumps, [*(e.payload for e in self.events), *self.store.bodies.values(), *(d for d, _ in self.store.revisions_.values())]):
                assert "hush-" not in text, f"a secret: {text[:300]}"
                assert "by-the-host" not in text, f"a secret attribute: {text[:300]}"
            return
        with self.store.database.reading() as connection:
            for table, column in ((t.event, t.event.c.payload), (t.instance, t.instance.c.body), (t.revision, t.revision.c.desired)):
                for value in connection.execute(sa.select(column).where(table.c.stack == self.stack_id)).scalars():
                    text = json.dumps(value)
                    assert "hush-" not in text, f"a secret in {table.name}: {text[:300]}"
                    assert "by-the-host" not in text, f"a secret attribute in {table.name}: {text[:300]}"

    def check_claims(self, recorded: Recorded) -> None:
        wanted = {c for i in recorded.instances.values() for c in i.claims}
        if self.ground is None:
            assert set(self.store.claims) == wanted, f"claims are not those of the recorded instances: {set(self.store.claims) ^ wanted}"
            return
        with self.store.database.reading() as connection:
            rows = connection.execute(sa.select(t.claim.c.host, t.claim.c.kind, t.claim.c.value).where(t.claim.c.stack == self.stack_id)).all()
        assert {tuple(r) for r in rows} == {tuple(c) for c in wanted}, "claims are not those of the recorded instances"

    def check_gone(self) -> None:
        assert self.row() is None
        if self.ground is None:
            assert not self.store.bodies
            return
        with self.store.database.reading() as connection:
            for table in (t.instance, t.claim, t.piece, t.secret):
                assert not connection.execute(sa.select(table).where(table.c.stack == self.stack_id)).first(), f"left in {table.name}"

    def check_converged(self, revision: int) -> None:
        """The host holds exactly the things of the revision, running, as they should be."""
        specs = self.specs[revision]
        recorded = self.store.recorded(self.stack_id)
        by_path: dict[str, str] = {}
        for instance in recorded.instances.values():
            assert instance.path not in by_path, f"two instances of {instance.path}"
            assert instance.sure, instance
            assert not instance.copies, instance
            assert instance.status == "ready", instance
            assert instance.holds == instance.refs, instance
            by_path[instance.path] = instance.physical_id
        assert by_path.keys() == specs.keys(), f"recorded {sorted(by_path)}, wanted {sorted(specs)}"
        for path, spec in specs.items():
            if spec.get("external"):
                used = recorded.instances[next(i for i in recorded.instances if i.rpartition("@")[0] == path)]
                assert used.external, f"{path} is recorded as the stack's own"
                assert by_path[path] == spec["external"], f"{path} is {by_path[path]}"
        things = {p: s for p, s in specs.items() if s.get("type", "Lab::Thing") == "Lab::Thing" and not s.get("external")}
        ids = {by_path[p] for p in things}
        assert set(self.host.things) == ids, f"on the host {sorted(self.host.things)}, wanted {sorted(ids)}"
        assert not self.host.copies, f"copies left on the host: {list(self.host.copies)}"
        for path, spec in things.items():
            self._check_thing(path, spec, by_path, specs)

    def _check_thing(self, path: str, spec: Spec, by_path: dict[str, str], specs: dict[str, Spec]) -> None:
        thing = self.host.things[by_path[path]]
        assert thing["on"], f"{path} does not run"
        assert thing["runs"] == thing["mode"], f"{path} was not restarted"
        for name in ("kind", "size", "mode", "name"):
            assert thing[name] == spec.get(name), f"{path}.{name} is {thing[name]}, wanted {spec.get(name)}"
        room, wanted = thing["disk"][0], spec.get("room") or 0
        told = any(d.code == "L109" and d.summary.startswith(f"{path}.room stays") for d in self.plan.diagnostics)
        assert room == wanted or (told and room > wanted), f"{path} has {room} room, wanted {wanted}; told that it stays: {told}"
        assert thing["devices"] == sorted({*(spec.get("devices") or ()), *(spec.get("loans") or ())}), path
        refs = {by_path[p] for p in [*(spec.get("needs") or ()), *(spec[n] for n in ("base", "joins", "spans") if spec.get(n))]}
        assert set(thing["refs"]) == refs, f"{path} refers to {thing['refs']}, wanted {refs}"
        members = sorted(by_path[p] for p, s in specs.items() for k in ("joins", "spans") if s.get(k) == path)
        assert thing["members"] == members, f"{path} has members {thing['members']}, wanted {members}"
        fellows = sorted(by_path[p] for p, s in specs.items() if s.get("joins") == spec["joins"]) if spec.get("joins") else []
        assert thing["fellows"] == fellows, f"{path} has fellows {thing['fellows']}, wanted {fellows}"
        for name, learned in (("learns", "learned"), ("springs", "sprung")):
            if spec.get(name):
                other, _, attribute = spec[name].partition(".")
                known = {**self.host.things, **self.host.foreign}[by_path[other]]
                assert thing[learned] == known[attribute or "serial"], f"{path} learned {thing[learned]}"

    def disks(self) -> dict[str, tuple[int, str]]:
        """path -> room and content of the disk of what runs."""
        return {thing["path"]: thing["disk"] for thing in self.host.things.values() if thing["on"]}

    def serials(self) -> dict[str, str]:
        """path -> serial of what runs."""
        return {thing["path"]: thing["serial"] for thing in self.host.things.values() if thing["on"]}


def refused(work: Callable[[], Any]) -> list[str]:
    """The codes of the errors of a plan that cannot be; empty when it can."""
    try:
        work()
    except InvalidTemplateError as error:
        return sorted({d.code for d in error.diagnostics.errors})
    return []
