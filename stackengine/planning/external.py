"""Objects that a template uses and does not own (Heat: ``external_id``; elsewhere ``stackengine: {external: …}`` in the metadata).

They are read, others refer to them, drift shows what happens to them; nothing changes or deletes them (Heat, HOT specification, ``external_id``:
"the resource is not managed by Heat"). Properties that the template gives are not applied: where the object has others, a warning says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stackengine.model.desired import DesiredResource
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.instance import Instance, Piece, Recorded
from stackengine.model.values import has_unknown
from stackengine.planning.choice import Choice, same_policies
from stackengine.planning.ground import Ground
from stackengine.planning.plan import Change
from stackengine.registry import ResourceTypeInfo
from stackengine.sdk import Described

OUTSIDE = "changed outside of the stack"


def choose(
    resource: DesiredResource, info: ResourceTypeInfo, olds: Sequence[Instance], recorded: Recorded, ground: Ground, diagnostics: Diagnostics
) -> Choice | None:
    """The object as the ground found it, under the generation that it is recorded with; None, and an error, where it cannot be used."""
    found = ground.external.get(resource.path, "it was not looked for")
    known = max((i for i in olds if i.external and i.type == resource.type), key=lambda i: i.generation, default=None)
    if not isinstance(found, Described):
        if ground.returning and known is not None:
            diagnostics.warning("L135", f"{resource.path}: {found}; it is left as it is recorded", resource.mark_of())
            return Choice(resource, info, known, "keep", [], known)
        diagnostics.error("L135", f"{resource.path}: {found}", resource.mark_of(), "it is used and not made: make it first, or name another one")
        return None
    physical = str(found.identity["physical_id"])
    mine = next((i for i in recorded.instances.values() if not i.external and i.identity.get("physical_id") == physical), None)
    if mine is not None:
        hint = f"let it go first: stack-run forget STACK {mine.path}"
        diagnostics.error("L136", f"{resource.path}: {physical} is {mine.path} of this stack, not somebody else's", resource.mark_of(), hint)
        return None
    _compare_with_template(resource, found, diagnostics)
    same = known if known is not None and known.physical_id == physical else None
    generation = same.generation if same is not None else recorded.generations.get(resource.path, 0) + 1
    instance = Instance(
        resource.path, generation, resource.type, dict(found.identity), dict(found.properties), attributes=dict(found.attributes), host=ground.host,
        pieces=(Piece("0", ground.host, physical),), policies=resource.policies, schema_version=info.schema_version, external=True,
    )  # fmt: skip
    if same is None:
        return Choice(resource, info, instance, "read", [], None, "it is on the host already")
    changes = list(_changes(same, instance))
    if same.sure and same.status == "ready" and not changes and same_policies(same.policies, resource.policies):
        return Choice(resource, info, same, "keep", [], same)
    return Choice(resource, info, instance, "read", changes, same, OUTSIDE if changes else "what is recorded of it is not up to date")


def _compare_with_template(resource: DesiredResource, found: Described, diagnostics: Diagnostics) -> None:
    for name, wanted in resource.properties.items():
        if name in found.properties and not has_unknown(wanted) and wanted != found.properties[name]:
            what = f"{resource.path}.{name}: the template says {wanted!r}, and the object has {found.properties[name]!r}"
            diagnostics.warning("L137", what, resource.mark_of(name), "it is not the stack's, and stays as it is")


def _changes(one: Instance, other: Instance) -> Iterator[Change]:
    before, now = ({**i.identity, **i.attributes, **i.properties} for i in (one, other))
    return (Change(k, before.get(k), now.get(k), "none", OUTSIDE) for k in sorted({*before, *now}) if before.get(k) != now.get(k))


def check_untouched(choices: Mapping[str, Choice], given: Mapping[str, Mapping[str, object]], diagnostics: Diagnostics) -> None:
    """What others add to an object (``given``: receiver -> key -> list) would change it: refused where it is not the stack's."""
    for path, choice in choices.items():
        for key in given.get(path, ()) if choice.instance.external else ():
            why = f"{path} is not the stack's, and cannot be given {key}"
            diagnostics.error("L138", why, choice.resource.mark_of(), "import it to let the stack change it, or leave out what adds to it")
