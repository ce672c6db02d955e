"""What every resource type must keep, checked on a host; for the built-in types and for types of other packages.

Use it with pytest::

    from stackengine import registry
    from stackengine.testing import contract

    @pytest.mark.parametrize("check", contract.CHECKS, ids=lambda c: c.__name__)
    def test_my_type(check):
        check(contract.Subject("X::Mine", registry.load()))

The type's folder holds ``examples/hot.yaml`` (or cfn, tosca): a template with one resource of the type and whatever that needs. Other templates
in ``examples/`` are further cases (:func:`cases`). Properties whose schema has two ``examples`` are changed from the first to the second. A check
that the host cannot carry out raises :class:`Skipped`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stackengine.hosts.memory import MemoryHost
from stackengine.model.expr import Attr, Literal
from stackengine.model.mark import NOWHERE
from stackengine.model.values import Unknown
from stackengine.registry import Registry, ResourceTypeInfo
from stackengine.sdk import Host, NotFoundError, UnsupportedError
from stackengine.testing.bench import Bench, Source, sample_source
from stackengine.testing.crashes import crash_everywhere
from stackengine.testing.inventory import defined, differences, inventory

LANGUAGES = ("hot", "cfn", "tosca")


class Skipped(Exception):
    """The host or the type cannot do what a check is about."""


@dataclass(frozen=True)
class Subject:
    """A type under test; ``host`` makes an empty host for every bench."""

    type: str
    registry: Registry
    host: Callable[[], Host] = MemoryHost
    case: str = ""
    """The example by its name without ``.yaml``; left out, the first language that is there."""
    preset: Mapping[str, Any] = field(default_factory=dict)
    """Properties for the host at hand (seconds for a shutdown of guests that do not listen)."""
    source: Source = sample_source
    settle: Callable[[Bench], None] = lambda _: None
    """Called when everything is made that the type needs (to wait for guests)."""
    benches: list[Bench] = field(default_factory=list)
    """Every bench that was made, to be cleared where a host is used again."""

    @property
    def info(self) -> ResourceTypeInfo:
        """The type."""
        return self.registry.types[self.type]

    @property
    def example(self) -> Path:
        """The template that is used."""
        if self.case:
            return self.info.folder / "examples" / f"{self.case}.yaml"
        found = [self.info.folder / "examples" / f"{language}.yaml" for language in LANGUAGES]
        return next((p for p in found if p.is_file()), found[0])

    def bench(self, host: Host | None = None) -> Bench:
        """A bench with everything made that the type needs."""
        try:
            bench = Bench(self.info, self.registry, host or self.host(), self.example, self.preset, self.source)
            self.benches.append(bench)
            bench.prepare()
            self.settle(bench)
        except UnsupportedError as error:
            raise Skipped(f"the host cannot make what the example needs: {error}") from error
        return bench

    def clear(self) -> None:
        """Delete what every bench made."""
        while self.benches:
            self.benches.pop().clear()

    def variants(self) -> Iterator[tuple[str, Any, Any]]:
        """Properties that are changed in place: (name, first value, second value)."""
        for name, schema in self.info.properties.items():
            values = schema.get("examples", ())
            if len(values) >= 2 and self.info.effects[name] in ("live", "reboot"):
                yield name, values[0], values[1]


def cases(info: ResourceTypeInfo) -> list[str]:
    """The examples that are tried: the first language, and everything that is no language."""
    names = sorted(p.stem for p in (info.folder / "examples").glob("*.yaml"))
    return [next((language for language in LANGUAGES if language in names), ""), *(n for n in names if n not in LANGUAGES)]


def _made(subject: Subject) -> Bench:
    bench = subject.bench()
    try:
        bench.create()
    except UnsupportedError as error:
        raise Skipped(str(error)) from error
    return bench


def _agrees(observed: dict[str, Any] | None, wanted: dict[str, Any], when: str) -> None:
    assert observed is not None, f"read says that it is not there {when}"
    wrong = {k: (v, wanted[k]) for k, v in observed.items() if k in wanted and wanted[k] != v}
    assert not wrong, f"read differs from what was wanted {when} (read, wanted): {wrong}"


def reads_what_it_created(subject: Subject) -> None:
    """After create, read finds it, and every property that it can see is as wanted."""
    bench = _made(subject)
    _agrees(bench.read(), dict(bench.on_subject(lambda _, want: want)), "after create")


def created_twice_is_one(subject: Subject) -> None:
    """Create finds what it made before: the host is the same, and so are the attributes."""
    bench = _made(subject)
    before, known = inventory(bench.host), bench.instance()
    bench.run(bench.action())
    assert inventory(bench.host) == before, "the second create changed the host"
    again = bench.instance()
    assert known is not None
    assert again is not None
    assert again.attributes == known.attributes, f"the second create returned other attributes: {differences(known.attributes, again.attributes)}"


def what_is_not_there_reads_as_none(subject: Subject) -> None:
    """Before create, read says None. Types without an object on a host (``inline``) are records: always there."""
    if subject.info.handler.inline or subject.info.handler.traceless:
        raise Skipped("a record is always there, and of what leaves no trace nobody can tell")
    assert subject.bench().read() is None


def deleted_twice_is_gone(subject: Subject) -> None:
    """Delete leaves the host as it was before create, and again does nothing. What is host-owned stays."""
    bench = subject.bench()
    before = inventory(bench.host)
    try:
        bench.create()
    except UnsupportedError as error:
        raise Skipped(str(error)) from error
    made = inventory(bench.host)
    bench.delete()
    expected = made if subject.info.schema.get("hostOwned") else before
    assert inventory(bench.host) == expected, "delete left something, or took too much"
    bench.delete()
    assert inventory(bench.host) == expected, "the second delete changed the host"
    if not subject.info.handler.inline and not subject.info.handler.traceless and not subject.info.schema.get("hostOwned"):
        assert bench.read() is None, "read finds it after delete"


def what_was_never_there_is_deleted_quietly(subject: Subject) -> None:
    """Delete of what was never made is no error."""
    bench = subject.bench()
    before = inventory(bench.host)
    bench.delete()
    assert inventory(bench.host) == before


def updates_keep_identity(subject: Subject) -> None:
    """Each property that its schema calls live or reboot is changed in place, by an update that read confirms, and back again."""
    tried = 0
    for name, first, second in subject.variants():
        bench = subject.bench()
        try:
            bench.change(name, second)
            bench.change(name, first)
        except UnsupportedError:
            continue  # the plan refuses it on this host
        bench.prepare()
        try:
            bench.create()
        except UnsupportedError as error:
            raise Skipped(str(error)) from error
        made = inventory(bench.host)
        lasts = bool(subject.info.handler.lasting({name: second}, {name: first}))
        for value in (second,) if lasts else (second, first):
            known = bench.instance()
            action = bench.change(name, value)
            assert action.verb == "update", f"{name}: the plan says {action.verb}, the schema says {subject.info.effects[name]}: {action.reason}"
            bench.run(action)
            now = bench.instance()
            assert known is not None
            assert now is not None
            assert now.identity == known.identity, f"{name}: the update changed the identity"
            _agrees(bench.read(), dict(now.properties), f"after the update of {name}")
        if not lasts:
            different = differences(defined(made), defined(inventory(bench.host)))
            assert not different, f"{name}: changed and changed back, the host is not as it was: {different}"
        tried += 1
    if not tried:
        raise Skipped("nothing is changed in place")


def stopped_comes_back(subject: Subject) -> None:
    """After stop (a hand-over), create makes it what it was."""
    bench = _made(subject)
    before = inventory(bench.host)
    bench.stop()
    bench.stop()
    bench.run(bench.action())
    assert inventory(bench.host) == before


def attributes_are_as_described(subject: Subject) -> None:
    """What create returns is in the schema, of the type that it says; what is known when planned is in the identity."""
    from jsonschema import Draft202012Validator

    bench = subject.bench()
    identity, schema = bench.action().instance.identity, subject.info.attributes
    absent = [n for n, a in schema.items() if a.get("when") == "planned" and not a.get("optional") and n not in identity]
    assert not absent, f"planned attributes that are not in the identity: {absent}"
    try:
        returned = bench.create()
    except UnsupportedError as error:
        raise Skipped(str(error)) from error
    unknown = set(returned) - set(schema)
    assert not unknown, f"attributes that the schema does not have: {sorted(unknown)}"
    found = {**{k: v for k, v in identity.items() if k in schema}, **returned}
    later = [n for n, a in schema.items() if a.get("when", "configured") == "configured" and not a.get("optional") and n not in found]
    assert not later, f"attributes that create did not return: {later}"
    for name, value in found.items():
        wrong = [e.message for e in Draft202012Validator(schema[name]).iter_errors(value)]
        assert not wrong, f"attribute {name}: {wrong}"


def plans_with_unknown_values(subject: Subject) -> None:
    """Its pure methods bear any property that is known only later."""
    bench = subject.bench()
    action, handler, profile = bench.action(), subject.info.handler, bench.host.profile
    want = dict(action.instance.properties)
    for name in subject.info.properties:
        unknown = {**want, name: Unknown(Attr("other", (Literal("attribute"),), NOWHERE))}
        for call in (handler.check, handler.demand, handler.holds_data, handler.implies):
            call(unknown)
        handler.refuse(unknown, profile)
        handler.gate(action.instance.identity, unknown)
        handler.exclusive(action.instance.identity, unknown)
        handler.fixed(action.instance.identity, unknown)
        handler.effects(want, unknown, profile)
        handler.lasting(want, unknown)
        handler.classify(name, want.get(name), unknown[name], profile)


def examples_are_right(subject: Subject) -> None:
    """There is an example, and all that are there say the same in every language."""
    from stackengine.testing.bench import desired_of

    folder = subject.info.folder / "examples"
    found = {language: desired_of(folder / f"{language}.yaml", subject.registry) for language in LANGUAGES if (folder / f"{language}.yaml").is_file()}
    assert found, f"{folder}: a type has an example"
    graphs = {
        language: {(p, r.type, tuple(sorted((d.path, d.need) for d in r.depends))) for p, r in desired.resources.items()} for language, desired in found.items()
    }
    first = next(iter(graphs))
    for language, graph in graphs.items():
        assert graph == graphs[first], f"the examples in {first} and {language} differ: {sorted(graph ^ graphs[first])}"


def described_as_it_was_made(subject: Subject) -> None:
    """Where the type describes objects for who does not own them: the same identity, no property that was not meant, and the host is not touched."""
    bench = _made(subject)
    before, made = inventory(bench.host), bench.instance()
    assert made is not None
    try:
        found = subject.info.handler.describe(bench.host, made.physical_id, bench.on_subject(lambda _, want: want))
    except NotFoundError as error:
        raise AssertionError(f"what was made is not found: {error}") from error
    if found is None:
        raise Skipped("of this type nothing is used without being owned")
    assert inventory(bench.host) == before, "describing it changed the host"
    assert found.identity["physical_id"] == made.physical_id
    _agrees({k: v for k, v in found.properties.items() if made.properties.get(k) not in (None, "auto")}, dict(made.properties), "when described")
    try:
        subject.info.handler.describe(bench.host, "nobody-s", dict(made.properties))
    except NotFoundError:
        return
    raise AssertionError("what is not there is described all the same")


def crashed_anywhere_it_is_finished(subject: Subject) -> None:
    """A create, update or delete that ends before or after any of its host calls is finished by running it again: one object, or none."""
    if not isinstance(subject.host(), MemoryHost):
        raise Skipped("crashes are made on a memory host")
    if not crash_everywhere(subject.bench, list(subject.variants()), host_owned=bool(subject.info.schema.get("hostOwned"))):
        raise Skipped("it makes no host calls")


Check = Callable[[Subject], None]
CHECKS: tuple[Check, ...] = (
    examples_are_right,
    attributes_are_as_described,
    plans_with_unknown_values,
    reads_what_it_created,
    created_twice_is_one,
    what_is_not_there_reads_as_none,
    deleted_twice_is_gone,
    what_was_never_there_is_deleted_quietly,
    updates_keep_identity,
    stopped_comes_back,
    described_as_it_was_made,
    crashed_anywhere_it_is_finished,
)
ON_ANY_HOST = tuple(c for c in CHECKS if c not in (crashed_anywhere_it_is_finished, examples_are_right, plans_with_unknown_values))
"""Checks that touch the host, and ask nothing of it but to be one."""
