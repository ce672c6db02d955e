"""Groups of AWS's that scale, as groups of the size that they have at first: each member is an instance by the group's launch configuration or template.

Sources: AWS::AutoScaling::AutoScalingGroup, AWS::AutoScaling::LaunchConfiguration, AWS::EC2::LaunchTemplate; Heat's InstanceGroup, which takes the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from stackengine.formats.launching import CONFIGURATION, TEMPLATE, on_subnet, taken
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Attr, Call, Entry, Expr, List, Literal, Map, Ref
from stackengine.model.mark import Mark
from stackengine.model.template import DependsOn, Nested, Policies, Resource

__all__ = ["CONFIGURATION", "GROUPS", "INSTANCE", "TEMPLATE", "with_groups"]

GROUPS = {"AWS::AutoScaling::AutoScalingGroup": "DesiredCapacity", "OS::Heat::InstanceGroup": "Size"}
"""Types of groups, and the property that says how many members one has."""
INSTANCE = "AWS::EC2::Instance"
def with_groups(resources: dict[str, Resource], diagnostics: Diagnostics) -> dict[str, Resource]:
    """``resources`` with the members of groups, and with what instances take from launch templates; what is built otherwise stays as it is."""
    if not any(r.type in GROUPS or r.type == INSTANCE for r in resources.values()):
        return resources
    return {name: _one(r, resources, diagnostics) for name, r in resources.items()}


def _one(resource: Resource, resources: Mapping[str, Resource], diagnostics: Diagnostics) -> Resource:
    if resource.type == INSTANCE and isinstance(resource.properties.get("LaunchTemplate"), Map):
        launch = _launch(resource.properties, resources)
        return _from_template(resource, launch, diagnostics) if launch is not None else resource
    if resource.type not in GROUPS or resource.nested is not None:
        return resource
    launch = _launch(resource.properties, resources)
    if launch is None:
        return resource
    count = resource.properties.get(GROUPS[resource.type]) or resource.properties.get("MinSize") or Literal(1, resource.mark)
    what = f"{resource.logical_id} keeps the size that it has at first: nothing scales it"
    diagnostics.notice("V120", what, resource.type_mark, f"change {GROUPS[resource.type]}, or MinSize, and update the stack")
    waiting = resource.policies.signals
    own = Policies(signals={**waiting, "count": 1} if waiting else None)
    properties = Map(_member(resource, launch, diagnostics), resource.properties.mark)
    member = Resource(resource.logical_id, INSTANCE, properties, policies=own, mark=resource.mark, type_mark=resource.type_mark)
    waits = (*resource.depends_on, DependsOn(launch.logical_id, launch.mark))
    return replace(resource, depends_on=waits, nested=Nested("group", members=(member,), count=count, joined={"InstanceList": "PrivateIp"}, mark=resource.mark))


def _launch(properties: Map, resources: Mapping[str, Resource]) -> Resource | None:
    """The launch configuration or template that is referred to; None where it is not in this template."""
    named = properties.get("LaunchConfigurationName")
    specification = properties.get("LaunchTemplate")
    if specification is None:
        mixed = properties.get("MixedInstancesPolicy")
        launch = mixed.get("LaunchTemplate") if isinstance(mixed, Map) else None
        specification = launch.get("LaunchTemplateSpecification") if isinstance(launch, Map) else None
    if named is None and isinstance(specification, Map):
        named = specification.get("LaunchTemplateId") or specification.get("LaunchTemplateName")
    if isinstance(named, (Ref, Attr)):
        found = resources.get(named.target)
    elif isinstance(named, Literal):
        found = next((r for r in resources.values() if _is_called(r, named.value)), None)
    else:
        return None
    return found if found is not None and found.type in (CONFIGURATION, TEMPLATE) else None


def _is_called(resource: Resource, name: object) -> bool:
    own = resource.properties.get("LaunchConfigurationName" if resource.type == CONFIGURATION else "LaunchTemplateName")
    return isinstance(own, Literal) and own.value == name


def _from_template(resource: Resource, launch: Resource, diagnostics: Diagnostics) -> Resource:
    """An instance with what it takes from a launch template; what it says itself wins, of tags those with the same key."""
    found = taken(launch, diagnostics)
    own, given = resource.properties.get("Tags"), next((e.value for e in found if e.key == "Tags"), None)
    if isinstance(own, List) and isinstance(given, List):
        entries = [e._replace(value=List((*given.items, *own.items), own.mark)) if e.key == "Tags" else e for e in resource.properties.entries]
        resource = replace(resource, properties=Map(tuple(entries), resource.properties.mark))
    return replace(resource, taken=tuple(e for e in found if resource.properties.get(e.key) is None))


def _member(group: Resource, launch: Resource, diagnostics: Diagnostics) -> tuple[Entry, ...]:
    found = {e.key: e for e in taken(launch, diagnostics)}
    subnets, tags = group.properties.get("VPCZoneIdentifier"), group.properties.get("Tags")
    if subnets is not None and "NetworkInterfaces" in found:
        entry = found["NetworkInterfaces"]
        found["NetworkInterfaces"] = entry._replace(value=on_subnet(entry.value, _first(subnets)))
    elif subnets is not None:
        found.setdefault("SubnetId", Entry("SubnetId", subnets.mark, _first(subnets)))
    if isinstance(tags, List):
        given = found["Tags"].value if "Tags" in found else None
        before = given.items if isinstance(given, List) else ()
        found["Tags"] = Entry("Tags", tags.mark, List((*before, *(_tag(t) for t in tags.items)), tags.mark))
    return tuple(found.values())


def _first(subnets: Expr) -> Expr:
    """The first of the subnets: all are on this machine."""
    mark: Mark = subnets.mark
    if isinstance(subnets, List) and subnets.items:
        return subnets.items[0]
    if isinstance(subnets, Literal) and isinstance(subnets.value, list) and subnets.value:
        return Literal(subnets.value[0], mark)
    if isinstance(subnets, (Ref, Attr)):
        return subnets
    return Call("select_item", (Literal(0, mark), Call("as_list", (subnets,), mark)), mark)


def _tag(tag: Expr) -> Expr:
    """A tag of a group as one of its members."""
    return replace(tag, entries=tuple(e for e in tag.entries if e.key != "PropagateAtLaunch")) if isinstance(tag, Map) else tag
