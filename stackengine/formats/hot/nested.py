"""HOT's resources that are more than one object: nested templates, ResourceGroup, ResourceChain."""

from __future__ import annotations

from dataclasses import replace

from stackengine.formats.build import as_map, text_of
from stackengine.formats.hot.functions import Functions
from stackengine.formats.nesting import Loader
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Call, Entry, Expr, List, Literal, Map
from stackengine.model.mark import Mark
from stackengine.model.template import Nested, Resource

STACK, GROUP, CHAIN, SCALING = "OS::Heat::Stack", "OS::Heat::ResourceGroup", "OS::Heat::ResourceChain", "OS::Heat::AutoScalingGroup"
DEPLOYMENTS = {
    "OS::Heat::SoftwareDeploymentGroup": "OS::Heat::SoftwareDeployment", "OS::Heat::SoftwareDeployments": "OS::Heat::SoftwareDeployment",
    "OS::Heat::StructuredDeploymentGroup": "OS::Heat::StructuredDeployment", "OS::Heat::StructuredDeployments": "OS::Heat::StructuredDeployment",
}  # fmt: skip
_SERVER = "%server%"


def with_nested(resource: Resource, properties: Node | None, loader: Loader, functions: Functions, file: str, diagnostics: Diagnostics) -> Resource | None:
    """``resource`` with what it stands for; None where that could not be loaded (reported)."""
    loader.note([e.value.value for e in resource.properties.entries if isinstance(e.value, Literal)])
    kind = loader.kind_of(resource.type, resource.logical_id, file, resource.type_mark)
    if kind.missing:
        return None
    if kind.template is not None:
        return replace(resource, nested=Nested("stack", kind.template, bindings=resource.computed, mark=resource.type_mark))
    if kind.name != resource.type:
        resource = replace(resource, type=kind.name)
    match kind.name:
        case _ if kind.name == STACK:
            return _stack(resource, loader, file, diagnostics)
        case _ if kind.name == GROUP:
            return _group(resource, properties, loader, functions, file, diagnostics)
        case _ if kind.name == CHAIN:
            return _chain(resource, properties, loader, file, diagnostics)
        case _ if kind.name == SCALING:
            return _scaling(resource, properties, loader, functions, file, diagnostics)
        case _ if kind.name in DEPLOYMENTS:
            return _deployments(resource)
    return resource


def _stack(resource: Resource, loader: Loader, file: str, diagnostics: Diagnostics) -> Resource | None:
    template = resource.properties.get("template")
    if not isinstance(template, Literal) or not isinstance(template.value, str):
        diagnostics.error("H140", f"{resource.logical_id}: template must be text, such as get_file gives it", (template or resource).mark)
        return None
    child = loader.inline(template.value, f"{file}#{resource.logical_id}", template.mark)
    bindings = resource.properties.get("parameters") or Map(())
    return replace(resource, nested=Nested("stack", child, bindings=bindings, mark=resource.mark)) if child is not None else None


def _member(
    resource: Resource, found: Node | None, key: str, loader: Loader, functions: Functions, file: str, diagnostics: Diagnostics
) -> Resource | None:
    """The definition of a group's members; None where it is none, which is reported."""
    body = as_map(found, key, "H141", diagnostics)
    if body is None or not text_of(body.get("type")):
        diagnostics.error("H141", f"{resource.logical_id} needs a {key} with a type", (found or resource).mark)
        return None
    type_node = body.get("type")
    assert type_node is not None
    given = body.get("properties")
    computed = functions.read(given) if given is not None else None
    inner = as_map(given, "properties", "H108", diagnostics) if computed is None else None
    entries = tuple(Entry(k.text, k.mark, functions(v)) for k, v in inner.entries) if inner is not None else ()
    metadata = body.get("metadata")
    return with_nested(
        Resource(
            resource.logical_id, type_node.text, Map(entries, inner.mark if inner else body.mark), metadata=functions(metadata) if metadata else None,
            mark=type_node.mark, type_mark=type_node.mark, computed=computed,
        ),
        inner, loader, functions, file, diagnostics,
    )  # fmt: skip


def _scaling(resource: Resource, properties: Node | None, loader: Loader, functions: Functions, file: str, diagnostics: Diagnostics) -> Resource | None:
    """A scaling group as the group of a fixed size that it is at first."""
    definition = _member(resource, properties.get("resource") if properties is not None else None, "resource", loader, functions, file, diagnostics)
    if definition is None:
        return None
    count = resource.properties.get("desired_capacity") or resource.properties.get("min_size") or Literal(1, resource.mark)
    what = f"{resource.logical_id} keeps the size that it has at first: nothing scales it"
    diagnostics.notice("H150", what, resource.type_mark, "change desired_capacity, or min_size, and update the stack")
    return replace(resource, nested=Nested("group", members=(definition,), count=count, mark=resource.mark))


def _deployments(resource: Resource) -> Resource:
    """One deployment for each server of a map."""
    servers = resource.properties.get("servers") or Map((), resource.mark)
    own = Call("dig", (servers, List((Literal(_SERVER, servers.mark),), servers.mark)), servers.mark)
    entries = tuple(e for e in resource.properties.entries if e.key != "servers")
    definition = replace(
        resource, type=DEPLOYMENTS[resource.type], properties=Map((*entries, Entry("server", servers.mark, own)), resource.properties.mark),
        depends_on=(), condition=None, computed=None,
    )  # fmt: skip
    plural = {"deploy_stdouts": "deploy_stdout", "deploy_stderrs": "deploy_stderr", "deploy_status_codes": "deploy_status_code"}
    return replace(resource, nested=Nested("group", members=(definition,), each=servers, plural=plural, index_variable=_SERVER, mark=resource.mark))


def _group(resource: Resource, properties: Node | None, loader: Loader, functions: Functions, file: str, diagnostics: Diagnostics) -> Resource | None:
    found = properties.get("resource_def") if properties is not None else None
    definition = _member(resource, found, "resource_def", loader, functions, file, diagnostics)
    if definition is None:
        return None
    variable = resource.properties.get("index_var")
    nested = Nested(
        "group", members=(definition,), count=resource.properties.get("count") or Literal(1, resource.mark),
        index_variable=variable.value if isinstance(variable, Literal) and isinstance(variable.value, str) else "%index%",
        removed=_removed(resource), removed_mode=resource.properties.get("removal_policies_mode"), mark=resource.mark,
    )  # fmt: skip
    return replace(resource, nested=nested)


def _removed(resource: Resource) -> Expr | None:
    """The ``resource_list`` of every removal policy."""
    policies = resource.properties.get("removal_policies")
    if not isinstance(policies, List):
        return policies
    lists = [p.get("resource_list") for p in policies.items if isinstance(p, Map)]
    return List(tuple(p for p in lists if p is not None), policies.mark)


def _chain(resource: Resource, properties: Node | None, loader: Loader, file: str, diagnostics: Diagnostics) -> Resource | None:
    listed, types = properties.get("resources") if properties is not None else None, resource.properties.get("resources")
    concurrent = resource.properties.get("concurrent")
    if listed is not None and not isinstance(types, (Literal, List, Map)):  # a function gives them
        known = [n for n in sorted(loader.named) if not loader.goes_round(n, file)]
        members = tuple(m for n in known if (m := _link(resource, n, loader, file, listed.mark)) is not None)
        return replace(resource, nested=Nested("chain", members=members, types=types, concurrent=concurrent, mark=resource.mark))
    if listed is None or listed.kind != "list" or any(i.kind != "scalar" for i in listed.items):
        diagnostics.error("H142", f"{resource.logical_id}: resources must be a list of types", (listed or resource).mark)
        return None
    links = [_link(resource, i.text, loader, file, i.mark) for i in listed.items]
    found = tuple(k for k in links if k is not None)
    return replace(resource, nested=Nested("chain", members=found, concurrent=concurrent, mark=resource.mark)) if len(found) == len(links) else None


def _link(resource: Resource, type_name: str, loader: Loader, file: str, mark: Mark) -> Resource | None:
    """One link of a chain; None where it is a template that could not be loaded (reported)."""
    kind = loader.kind_of(type_name, resource.logical_id, file, mark)
    shared = resource.properties.get("resource_properties")
    nested = Nested("stack", kind.template, mark=mark) if kind.template is not None else None
    own = shared if isinstance(shared, Map) else Map((), resource.mark)
    return None if kind.missing else Resource(type_name, kind.name, own, nested=nested, mark=mark, type_mark=mark)
