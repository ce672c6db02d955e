"""Resources as their language has them: evaluated, with the type, property and attribute names of the template."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stackengine.evaluate.flatten import Flattening
from stackengine.evaluate.nested import Placed
from stackengine.model.desired import Dependency
from stackengine.model.expr import Attr, Ref, references
from stackengine.model.template import Policies
from stackengine.model.values import FAULTY, OMIT, Sensitive, Unknown, Value, unknowns


@dataclass(frozen=True, slots=True)
class Written:
    """One resource that applies; references in its values name paths, and attributes as the template names them."""

    path: str
    type: str
    properties: dict[str, Value]
    metadata: Value
    external_id: Value
    scope: str
    policies: Policies
    depends: tuple[Dependency, ...]
    placed: Placed
    checked: dict[str, Value] | None = None
    """The properties as the language's own schema of the type has them (Heat's), where it has one; else None."""
    faulty: bool = False
    """Whether that schema found a fault: then nothing more is said of the native side."""


def write_down(placed: Placed, run: Flattening) -> Written:
    """Evaluate one resource; references to nothing are reported (R102)."""
    resource = placed.resource
    properties = _properties(placed, run)
    taken = {e.key: v for e in resource.taken if (v := placed.value(e.value)) is not OMIT}
    metadata = placed.value(resource.metadata) if resource.metadata is not None else None
    external = placed.value(resource.external_id) if resource.external_id is not None else None
    external = None if external == "" else external  # a parameter that is left empty: then the resource is made
    found: dict[str, Dependency] = {}
    for dependency in _explicit(placed, run):
        found.setdefault(dependency.path, dependency)
    for via, value in (*((f"properties.{k}", v) for k, v in {**taken, **properties}.items()), ("metadata", metadata), ("external_id", external)):
        for unknown in unknowns(value):
            for reference in unknown.refs():
                if refers_to_something(reference, run):
                    found.setdefault(reference.target, Dependency(reference.target, "configured", via, reference.mark))
    for dependency in _on_placeholders(placed, run):
        found.setdefault(dependency.path, dependency)
    return Written(
        placed.path, resource.type, properties, metadata, external, placed.scope, placed.policies, tuple(found.values()), placed,
        checked={**taken, **{k: v for k, v in properties.items() if k != "LaunchTemplate"}} if resource.taken else None,
    )  # fmt: skip


def _on_placeholders(placed: Placed, run: Flattening) -> Iterator[Dependency]:
    """Attributes of placeholders are null and known; in Heat they are waited for all the same."""
    if not run.asked_placeholders:
        return
    for reference in references(placed.resource.properties):
        path = placed.level.full(reference.target)
        if path in run.asked_placeholders:
            yield Dependency(path, "configured", "placeholder", reference.mark)


def _properties(placed: Placed, run: Flattening) -> dict[str, Value]:
    """Properties by name; those that are one expression are a map that is known."""
    resource = placed.resource
    if resource.computed is None:
        return {e.key: v for e in resource.properties.entries if (v := placed.value(e.value)) is not OMIT}
    value = placed.value(resource.computed)
    if isinstance(value, Sensitive) and isinstance(value.value, dict):
        return {k: Sensitive(v) for k, v in value.value.items()}
    if isinstance(value, dict) or value is None:
        return value or {}
    if value is not FAULTY:
        later = isinstance(value, Unknown)
        what = "the properties cannot be known only after apply" if later else f"properties must be a map, not {value!r}"
        run.diagnostics.error("R111", f"{placed.path}: {what}", resource.computed.mark)
    return {}


def refers_to_something(reference: Ref | Attr, run: Flattening) -> bool:
    """Whether there is what a reference means; R102 where not."""
    if reference.target in run.placed:
        return True
    run.report_missing(reference.target, reference.mark)
    return False


def _explicit(placed: Placed, run: Flattening) -> Iterator[Dependency]:
    """``depends_on``, its own and of what it is nested in; a nested resource means everything in it."""
    for wanted in placed.below(placed.resource):
        targets = run.targets(wanted.target)
        if targets is None:
            run.report_missing(wanted.target, wanted.mark)
        yield from (Dependency(path, "ready", "depends_on", wanted.mark) for path in targets or ())



def nested_as_written(placed: Placed, run: Flattening) -> Written:
    """A nested template, group or chain as the parent writes it; what is wrong with it is reported where it is used."""
    before = len(run.diagnostics.items)
    resource = placed.resource
    properties = _properties(placed, run)
    metadata = placed.value(resource.metadata) if resource.metadata is not None else None
    del run.diagnostics.items[before:]
    return Written(placed.path, resource.type, properties, metadata, None, placed.scope, placed.policies, tuple(_explicit(placed, run)), placed)
