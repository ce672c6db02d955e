"""Resources that others bring with them, also where one property is changed in what is desired already."""

from __future__ import annotations

from dataclasses import replace

from stackengine.evaluate.references import dependencies_of
from stackengine.evaluate.validate import with_defaults
from stackengine.model.desired import Desired, DesiredResource
from stackengine.model.expr import Ref
from stackengine.model.template import Policies
from stackengine.model.values import Unknown, Value
from stackengine.registry import Registry, ResourceTypeInfo

EXPLICIT = ("depends_on", "metadata", "external_id", "placeholder")
"""By what a resource depends on others that none of its properties names (``Dependency.via``)."""


def imply(
    made: DesiredResource, resources: dict[str, DesiredResource], types: dict[str, ResourceTypeInfo], registry: Registry, *, only: str = ""
) -> None:  # fmt: skip
    """Add what ``made`` brings to ``resources`` and ``types``; the property that brings one (``only``: no other) refers to it from then on."""
    for implied in types[made.path].handler.implies(made.properties):
        if only and implied.via != only:
            continue
        info = registry.get(implied.type)
        assert info is not None, f"{made.type} implies a {implied.type}, which is not installed"
        path = f"{made.path}:{implied.path}" if implied.own else implied.path
        if path not in resources:
            types[path] = info
            marks = {"": made.mark_of(implied.at or implied.via)}
            kept = kept_with(made.policies, keep=implied.keep) if implied.own else Policies()
            resources[path] = DesiredResource(path, info.name, with_defaults(implied.properties, info.schema), implied=True, marks=marks, policies=kept)
        reference = Unknown(Ref(path, made.mark_of(implied.via)))
        made.properties[implied.via] = implied.shape(reference) if implied.shape else reference


def kept_with(policies: Policies, *, keep: bool) -> Policies:
    """What becomes of what a resource has for itself alone: what becomes of that one."""
    if keep:
        return Policies(deletion="Retain", update_replace="Retain", protect=policies.protect)
    return Policies(deletion=policies.deletion, update_replace=policies.update_replace, protect=policies.protect)


def with_property(desired: Desired, path: str, name: str, value: Value, registry: Registry) -> Desired:
    """``desired`` where the resource at ``path`` says ``value`` (None: nothing) by its property ``name``.

    What that brings comes along; what only the old value brought goes.
    """
    resources, old = dict(desired.resources), desired.resources[path]
    types = {p: info for p, r in resources.items() if (info := registry.get(r.type)) is not None}
    said = {k: v for k, v in old.properties.items() if k != name}
    made = replace(old, properties=said if value is None else {**said, name: value})
    imply(made, resources, types, registry, only=name)
    explicit = [d for d in old.depends if d.via in EXPLICIT]
    inferred = [d for d in dependencies_of(made.properties, types, made.marks) if d.path in resources and d.path not in {e.path for e in explicit}]
    resources[path] = replace(made, depends=(*inferred, *explicit))
    needed = {d.path for r in resources.values() for d in r.depends}
    brought = [d.path for d in old.depends if d.via == f"properties.{name}" and d.path not in needed and desired.resources[d.path].implied]
    return replace(desired, resources={p: r for p, r in resources.items() if p not in brought})
