"""JSON form of what is stored: values with their wrappers, expressions, desired state, instances. Round trips are exact.

A :class:`Sensitive` has no JSON form on purpose: secrets are sealed into a :class:`SecretRef` before anything is recorded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from stackengine.model.desired import Dependency, Desired, DesiredOutput, DesiredResource, Scope
from stackengine.model.expr import Attr, Call, Entry, Expr, If, List, Literal, Map, Param, Ref
from stackengine.model.instance import Claim, DiskCopy, Instance, Layer, Piece
from stackengine.model.mark import NOWHERE, Mark
from stackengine.model.template import Policies
from stackengine.model.values import OMIT, SecretRef, Sensitive, Unknown, Value

_ESCAPED = frozenset({"$unknown", "$secret", "$omit", "$literal"})
_PLAIN = frozenset({str, int, float, bool, type(None)})


def value_to_json(value: Value) -> Any:
    """Encode a value; raises TypeError on a Sensitive."""
    if isinstance(value, dict):
        encoded = {k: v if type(v) in _PLAIN else value_to_json(v) for k, v in value.items()}
        return encoded if _ESCAPED.isdisjoint(value) else {"$literal": encoded}
    if isinstance(value, list):
        return [v if type(v) in _PLAIN else value_to_json(v) for v in value]
    if isinstance(value, Unknown):
        return {"$unknown": expr_to_json(value.expr)}
    if isinstance(value, SecretRef):
        return {"$secret": value.id, "version": value.version}
    if value is OMIT:
        return {"$omit": True}
    if isinstance(value, Sensitive):
        raise TypeError("a secret must be sealed before it is recorded")
    return value


def value_from_json(data: Any) -> Value:
    """Decode what :func:`value_to_json` made."""
    if isinstance(data, dict):
        if _ESCAPED.isdisjoint(data):
            return {k: v if type(v) in _PLAIN else value_from_json(v) for k, v in data.items()}
        if "$literal" in data:
            return {k: value_from_json(v) for k, v in data["$literal"].items()}
        if "$unknown" in data:
            return Unknown(expr_from_json(data["$unknown"]))
        if "$secret" in data:
            return SecretRef(data["$secret"], data["version"])
        if "$omit" in data:
            return OMIT
    if isinstance(data, list):
        return [v if type(v) in _PLAIN else value_from_json(v) for v in data]
    return data


def mark_to_json(mark: Mark) -> list[Any] | None:
    """A mark as a list, None for nowhere."""
    return list(mark) if mark != NOWHERE else None


def mark_from_json(data: list[Any] | None) -> Mark:
    """The mark of :func:`mark_to_json`."""
    return Mark(*data) if data else NOWHERE


def expr_to_json(expr: Expr) -> list[Any]:
    """An expression as ``[kind, …, mark]``."""
    mark = mark_to_json(expr.mark)
    match expr:
        case Literal(value=value):
            return ["literal", value_to_json(value), mark]
        case Map(entries=entries):
            return ["map", [[e.key, mark_to_json(e.key_mark), expr_to_json(e.value)] for e in entries], mark]
        case List(items=items):
            return ["list", [expr_to_json(i) for i in items], mark]
        case Param(name=name):
            return ["param", name, mark]
        case Ref(target=target):
            return ["ref", target, mark]
        case Attr(target=target, path=path):
            return ["attr", target, [expr_to_json(p) for p in path], mark]
        case Call(fn=fn, args=args):
            return ["call", fn, [expr_to_json(a) for a in args], mark]
        case If(condition=c, then=t, otherwise=o):
            return ["if", expr_to_json(c), expr_to_json(t), expr_to_json(o), mark]


def expr_from_json(data: list[Any]) -> Expr:  # one short line per kind of expression
    """The expression of :func:`expr_to_json`."""
    kind, mark = data[0], mark_from_json(data[-1])
    match kind:
        case "literal":
            return Literal(value_from_json(data[1]), mark)
        case "map":
            return Map(tuple(Entry(k, mark_from_json(m), expr_from_json(v)) for k, m, v in data[1]), mark)
        case "list":
            return List(tuple(expr_from_json(i) for i in data[1]), mark)
        case "param":
            return Param(data[1], mark)
        case "ref":
            return Ref(data[1], mark)
        case "attr":
            return Attr(data[1], tuple(expr_from_json(p) for p in data[2]), mark)
        case "call":
            return Call(data[1], tuple(expr_from_json(a) for a in data[2]), mark)
        case "if":
            return If(expr_from_json(data[1]), expr_from_json(data[2]), expr_from_json(data[3]), mark)
    raise ValueError(f"unknown expression kind {kind!r}")


_DEFAULT_POLICIES = Policies()


def policies_to_json(policies: Policies) -> dict[str, Any]:
    """Only what differs from the default."""
    if policies is _DEFAULT_POLICIES or policies == _DEFAULT_POLICIES:
        return {}
    return {f.name: _plain(getattr(policies, f.name)) for f in fields(Policies) if getattr(policies, f.name) != getattr(_DEFAULT_POLICIES, f.name)}


def policies_from_json(data: dict[str, Any]) -> Policies:
    """The policies of :func:`policies_to_json`."""
    if not data:
        return _DEFAULT_POLICIES
    changed: dict[str, Any] = {k: tuple(v) if k == "ignore_changes" else v for k, v in data.items()}
    return Policies(**changed)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _sorted(items: frozenset[str]) -> list[str]:
    return sorted(items) if items else []


class Written(dict[str, Any]):
    """What is never changed any more and recorded more than once: its text is made once."""

    __slots__ = ("_text",)
    _text: str

    @property
    def text(self) -> str:
        """It as JSON."""
        try:
            return self._text
        except AttributeError:
            self._text = json.dumps(self)
            return self._text


def instance_to_json(instance: Instance) -> Written:
    """An instance; sets as sorted lists."""
    return Written({
        "path": instance.path,
        "generation": instance.generation,
        "type": instance.type,
        "identity": value_to_json(instance.identity),
        "properties": value_to_json(instance.properties),
        "refs": _sorted(instance.refs),
        "holds": _sorted(instance.holds),
        "attributes": value_to_json(instance.attributes) if instance.attributes else {},
        "contributed": value_to_json(instance.contributed) if instance.contributed else {},
        "exclusive": _sorted(instance.exclusive),
        "occupied": _sorted(instance.occupied),
        "fixed": _sorted(instance.fixed),
        "host": instance.host,
        "pieces": [[p.piece, p.host, p.physical_id, p.status] for p in instance.pieces],
        "claims": [list(c) for c in instance.claims],
        "policies": policies_to_json(instance.policies),
        "sure": instance.sure,
        "status": instance.status,
        "power": instance.power,
        "schema_version": instance.schema_version,
        "protected": instance.protected,
        **({"external": True} if instance.external else {}),
        **({"copies": [_copy_to_json(c) for c in instance.copies]} if instance.copies else {}),
        **({"lived": instance.lived} if instance.lived != instance.sure else {}),
    })


def instance_from_json(data: dict[str, Any]) -> Instance:
    """The instance of :func:`instance_to_json`."""
    return Instance(
        path=data["path"],
        generation=data["generation"],
        type=data["type"],
        identity=value_from_json(data["identity"]),
        properties=value_from_json(data["properties"]),
        refs=frozenset(data["refs"]),
        holds=frozenset(data["holds"]),
        attributes=value_from_json(data["attributes"]) if data["attributes"] else {},
        contributed=value_from_json(data["contributed"]) if data["contributed"] else {},
        exclusive=frozenset(data["exclusive"]),
        occupied=frozenset(data.get("occupied", data["exclusive"])),
        fixed=frozenset(data["fixed"]),
        host=data["host"],
        pieces=tuple(Piece(*p) for p in data["pieces"]),
        claims=tuple(Claim(*c) for c in data["claims"]),
        policies=policies_from_json(data["policies"]),
        sure=data["sure"],
        status=data["status"],
        power=data["power"],
        schema_version=data["schema_version"],
        protected=data["protected"],
        external=data.get("external", False),
        copies=tuple(_copy_from_json(c) for c in data.get("copies", ())),
        lived=data.get("lived", data["sure"]),
    )


def _copy_to_json(copy: DiskCopy) -> list[Any]:
    return [copy.id, [list(d) for d in copy.disks], value_to_json(copy.properties), value_to_json(copy.attributes), copy.status]


def _copy_from_json(data: list[Any]) -> DiskCopy:
    id_, disks, properties, attributes, status = data
    return DiskCopy(id_, tuple((p, v, c) for p, v, c in disks), value_from_json(properties), value_from_json(attributes), status)


def layer_to_json(layer: Layer) -> dict[str, Any]:
    """A disk layer."""
    return {f.name: getattr(layer, f.name) for f in fields(Layer)}


def layer_from_json(data: dict[str, Any]) -> Layer:
    """The layer of :func:`layer_to_json`."""
    return Layer(**data)


def _resource_to_json(resource: DesiredResource) -> dict[str, Any]:
    """Only what differs from the default, as there are many of them in every revision."""
    found: dict[str, Any] = {"path": resource.path, "type": resource.type, "properties": value_to_json(resource.properties)}
    if resource.depends:
        found["depends"] = [[d.path, d.need, d.via, mark_to_json(d.mark)] for d in resource.depends]
    policies = policies_to_json(resource.policies)
    if policies:
        found["policies"] = policies
    if resource.power != "running":
        found["power"] = resource.power
    if resource.foreign_type:
        found["foreign_type"] = resource.foreign_type
    if resource.scope:
        found["scope"] = resource.scope
    if resource.metadata is not None:
        found["metadata"] = value_to_json(resource.metadata)
    if resource.external_id is not None:
        found["external_id"] = value_to_json(resource.external_id)
    if resource.implied:
        found["implied"] = True
    if resource.marks:
        found["marks"] = {k: mark_to_json(m) for k, m in resource.marks.items()}
    return found


def _resource_from_json(data: dict[str, Any]) -> DesiredResource:
    return DesiredResource(
        path=data["path"],
        type=data["type"],
        properties=value_from_json(data["properties"]),
        depends=tuple(Dependency(p, n, v, mark_from_json(m)) for p, n, v, m in data.get("depends", ())),
        policies=policies_from_json(data.get("policies", {})),
        power=data.get("power", "running"),
        foreign_type=data.get("foreign_type", ""),
        scope=data.get("scope", ""),
        metadata=value_from_json(data.get("metadata")),
        external_id=value_from_json(data.get("external_id")),
        implied=data.get("implied", False),
        marks={k: mark_from_json(m) for k, m in data.get("marks", {}).items()},
    )


def _scope_to_json(scope: Scope) -> list[Any]:
    return [
        scope.path, scope.language, value_to_json(scope.parameters), policies_to_json(scope.policies), list(scope.members), list(scope.removed)
    ]  # fmt: skip


def _scope_from_json(data: list[Any]) -> Scope:
    path, language, parameters, policies, *membership = data
    members, removed = membership or ((), ())
    return Scope(path, language, value_from_json(parameters), policies_from_json(policies), tuple(members), tuple(removed))


def desired_to_json(desired: Desired) -> dict[str, Any]:
    """A sealed desired state."""
    return {
        "resources": [_resource_to_json(r) for r in desired.resources.values()],
        "outputs": [[o.name, value_to_json(o.value), o.description, o.sensitive, mark_to_json(o.mark)] for o in desired.outputs.values()],
        "scopes": [_scope_to_json(s) for s in desired.scopes.values()],
        "description": desired.description,
        "timeout": desired.timeout,
        "extra": desired.extra,
    }


def scopes_from_json(data: dict[str, Any]) -> dict[str, Scope]:
    """The scopes of a desired state in the form of :func:`desired_to_json`."""
    return {s[0]: _scope_from_json(s) for s in data["scopes"]}


def desired_from_json(data: dict[str, Any]) -> Desired:
    """The desired state of :func:`desired_to_json`."""
    resources: Iterable[DesiredResource] = (_resource_from_json(r) for r in data["resources"])
    return Desired(
        resources={r.path: r for r in resources},
        outputs={n: DesiredOutput(n, value_from_json(v), d, s, mark_from_json(m)) for n, v, d, s, m in data["outputs"]},
        scopes=scopes_from_json(data),
        description=data["description"],
        timeout=data["timeout"],
        extra=data["extra"],
    )
