"""TOSCA's functions to neutral expressions; 2.0 writes them with a dollar sign (TOSCA 2.0, chapter 10; Simple Profile 1.3, chapter 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stackengine.formats.scalars import value as scalar_value
from stackengine.formats.tosca import semantics
from stackengine.formats.tosca.custom import checked_call
from stackengine.formats.tosca.definitions import Definition, Schema
from stackengine.formats.tosca.entities import Entities
from stackengine.formats.tosca.files import place_of, source_of
from stackengine.formats.tosca.parts import dig, into
from stackengine.formats.tosca.paths import INDEX, LIVE, Paths, Place, itself, member
from stackengine.formats.tosca.rules import FIRST_ONLY, QUERIES
from stackengine.formats.tosca.topology import Context, NodeTemplate, RelationshipTemplate
from stackengine.formats.tosca.values import Values
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Attr, Call, Expr, List, Literal, Param, Ref

Read = tuple[Expr, Schema | str | None]
NAMES_1 = ("get_input", "get_property", "get_attribute", "get_operation_output", "get_nodes_of_type", "get_artifact", "concat", "join", "token")


class Functions:
    """Reads calls in one service template."""

    def __init__(self, entities: Entities, diagnostics: Diagnostics) -> None:
        self.entities, self._diagnostics = entities, diagnostics
        self.values = Values(entities.definitions, self.read)
        self.paths = Paths(self)
        self.inputs: Mapping[str, Definition] | None = None
        """None: a file without a service template."""
        self.nodes: dict[str, NodeTemplate] = {}
        self.relationships: dict[str, RelationshipTemplate] = {}
        self.complete = False
        """Whether the topology is there, so that a name of nothing can be told."""
        self._queries: dict[str, Callable[[Node, Node, Context], Read]] = {
            "get_input": self._get_input, "get_property": self._get_property, "get_attribute": self._get_attribute, "get_artifact": self._get_artifact,
            "get_operation_output": self._get_operation_output, "get_nodes_of_type": self._get_nodes_of_type, "node_index": self._node_index,
            "relationship_index": self._relationship_index, "available_allocation": self._available_allocation,
        }  # fmt: skip

    def quietly(self, read: Callable[[], Expr], *codes: str) -> Expr:
        """What ``read`` gives; of what it reports only these codes stay, as the rest is reported where the value stands."""
        before = len(self._diagnostics.items)
        expr = read()
        self._diagnostics.items[before:] = [d for d in self._diagnostics.items[before:] if d.code in codes]
        return expr

    def read(self, node: Node, context: Context) -> Read | None:
        """The call that a node is; None for plain data."""
        if context.document.reading.first:
            if node.kind != "map" or len(node.entries) != 1:
                return None
            key, argument = node.entries[0]
            if key.text not in NAMES_1 or (key.text == "token" and argument.kind != "list"):
                return None
            return self._call(key.text, node, argument, context)
        return self._read_dollar(node, context)

    def _read_dollar(self, node: Node, context: Context) -> Read | None:
        if node.kind == "scalar":
            if not node.text.startswith("$") or node.text.startswith("$$"):
                return None
            return self._call(node.text[1:].split("$")[0], node, Node("list", node.mark), context)
        if node.kind != "map":
            return None
        calls = [k for k in node.key_nodes() if k.text.startswith("$") and not k.text.startswith("$$")]
        if not calls:
            return None
        if len(node.entries) != 1:
            problem = f"{calls[0].text} is a function, and a function stands alone in its map"
            self._error(context, "S241", problem, calls[0], "text that starts with $ is written $$")
            return Literal(None, node.mark), None
        return self._call(calls[0].text[1:].split("$")[0], node, node.entries[0][1], context)

    def _call(self, name: str, node: Node, argument: Node, context: Context) -> Read:
        query = self._queries.get(name)
        if query is not None and (context.document.reading.first or name not in FIRST_ONLY):
            return query(node, argument, context)
        if name in semantics.FUNCTIONS:
            return self._builtin(name, node, argument, context)
        if name == "value":
            self._error(context, "S246", "$value is only known in a validation clause", node)
            return Literal(None, node.mark), None
        custom = context.document.function(name)
        if custom is not None:
            args = argument.items if argument.kind == "list" else (argument,)
            return checked_call(self, name, custom, args, context, node)
        known = [f"${n}" for n in (*QUERIES, *semantics.FUNCTIONS)]
        self._error(context, "S240", f"there is no function ${name}", node, did_you_mean(f"${name}", known))
        return Literal(None, node.mark), None

    @staticmethod
    def _error(context: Context, code: str, summary: str, node: Node, hint: str = "") -> None:
        context.document.reading.error(code, summary, node.mark, hint)

    def _bad(self, node: Node, context: Context, name: str, shape: str) -> Read:
        self._error(context, "S241", f"{name} needs {shape}", node)
        return Literal(None, node.mark), None

    def _builtin(self, name: str, node: Node, argument: Node, context: Context) -> Read:
        """A function without a look at the topology."""
        args = argument.items if argument.kind == "list" else (argument,)
        _, least, most = semantics.FUNCTIONS[name]
        listed = argument.kind == "list" or name in ("not", "length", "round", "floor", "ceil")
        if not listed or len(args) < least or (most is not None and len(args) > most):
            return self._bad(node, context, name, f"a list of {semantics.arity(least, most)}")
        exprs, gives = [], list[Schema | str | None]()
        for arg in args:
            read = self.read(arg, context)
            exprs.append(read[0] if read is not None else self.values.anything(arg, context))
            gives.append(read[1] if read is not None else self._kind(arg, exprs[-1]))
        fault = self._misfit(name, gives) or ("" if context.document.reading.first else _untexted(name, args))
        if fault:
            self._error(context, "S241", f"{name} {fault}", node)
            return Literal(None, node.mark), None
        result: str | None = semantics.RESULTS.get(name)
        if name == "concat":
            result = "list" if gives and self._base(gives[0]) == "list" else "string"
            return Call("concat", tuple(exprs), node.mark), result
        if name == "join":
            return Call("join", (exprs[1] if len(exprs) == 2 else Literal("", node.mark), exprs[0]), node.mark), result
        if name == "token":
            return Call("token", tuple(exprs), node.mark), result
        if name in ("sum", "difference", "product"):
            bases = {self._base(g) for g in gives}
            result = "integer" if bases == {"integer"} else "float" if bases <= {"integer", "float"} else None
        elif name == "quotient":
            result = "float" if self._base(gives[0]) in ("integer", "float") else None
        return Call("tosca", (Literal(name), Literal(self._units(gives)), *exprs), node.mark), result

    @staticmethod
    def _kind(node: Node, expr: Expr) -> str | None:
        if node.kind != "scalar":
            return node.kind
        value = expr.value if isinstance(expr, Literal) else None
        return {bool: "boolean", int: "integer", float: "float", str: "string"}.get(type(value))

    def _base(self, gives: Schema | str | None) -> str | None:
        if isinstance(gives, Schema):
            shape = self.entities.definitions.schema_shape(gives)
            return shape.base if shape is not None and shape.base != "?" else None
        return gives

    def _units(self, gives: list[Schema | str | None]) -> dict[str, float] | None:
        for given in gives:
            shape = self.entities.definitions.schema_shape(given) if isinstance(given, Schema) else None
            if shape is not None and shape.units:
                return dict(shape.units)
        return None

    def _misfit(self, name: str, gives: list[Schema | str | None]) -> str:
        """What is wrong with the types of a function's arguments, as far as they are known."""
        bases = [self._base(g) for g in gives]
        known = [b for b in bases if b is not None]
        if name in ("and", "or", "not", "xor") and any(b != "boolean" for b in known):
            return "takes booleans only"
        if name == "token" and any(b in ("list", "map", "complex") for b in known):
            return "takes a text, the separators and a number"
        if name == "token" and bases[2] not in ("integer", None):
            return "takes the number of the part as a whole number"
        if name == "join" and bases[0] not in ("list", None):
            return "takes a list of texts"
        if name == "concat" and "list" in known and any(b != "list" for b in known):
            return "takes texts, or lists, not both"
        if name in ("equal", *_ORDERED) and len(known) == 2 and not _comparable(*known):
            return f"compares values of one type, not {known[0]} with {known[1]}"
        if name in ("sum", "difference") and "scalar" in known and any(b in ("integer", "float") for b in known):
            return "takes scalars, or numbers, not both"
        if name in ("product", "quotient") and known[1:].count("scalar"):
            return "takes a scalar first, and a number then"
        if name in ("union", "intersection") and any(b != "list" for b in known):
            return "takes lists"
        if name in ("sum", "difference", "product", "quotient", "remainder", "round", "floor", "ceil") and any(b in ("boolean", "list", "map") for b in known):
            return "takes numbers"
        if name == "remainder" and (bases[0] == "float" or bases[1] in ("float", "scalar")):
            return "takes a whole number or a scalar first, and a whole number then"
        if name in ("round", "floor", "ceil") and "string" in known:
            return "takes numbers" if all(b != "scalar" for b in known) else ""
        if name == "length" and bases[0] in ("integer", "float", "boolean"):
            return "takes a text, a list or a map"
        return ""

    def _get_input(self, node: Node, argument: Node, context: Context) -> Read:
        args = argument.items if argument.kind == "list" else (argument,)
        if not args or args[0].kind != "scalar":
            return self._bad(node, context, "get_input", "an input's name, or a list of a name and keys")
        name = args[0].text
        if self.inputs is None:
            return Literal(None, node.mark), None
        definition = self.inputs.get(name)
        if definition is None:
            self._error(context, "S242", f"there is no input {name}", args[0], did_you_mean(name, self.inputs))
            return Literal(None, node.mark), None
        value: Expr = Param(name, node.mark)
        keys = tuple(self.values.anything(a, context) for a in args[1:])
        if not keys:
            return value, definition.schema if definition.schema.type is not None else None
        self.paths.reach(value, definition.schema, keys, f"the input {name}", context)
        return into(value, keys, node, f"the input {name}"), self.paths.nested(definition.schema, keys)

    def _listed(self, node: Node, argument: Node, context: Context, name: str, least: int) -> tuple[Node, ...] | None:
        if argument.kind != "list" or len(argument.items) < least or argument.items[0].kind != "scalar":
            self._bad(node, context, name, "a list: a node template (or SELF), a name, and keys into it")
            return None
        return argument.items

    def _get_property(self, node: Node, argument: Node, context: Context) -> Read:
        args = self._listed(node, argument, context, "get_property", 2)
        return self.paths.property(args, context, node) if args is not None else (Literal(None, node.mark), None)

    def _get_attribute(self, node: Node, argument: Node, context: Context) -> Read:
        args = self._listed(node, argument, context, "get_attribute", 2)
        return self.paths.attribute(args, context, node) if args is not None else (Literal(None, node.mark), None)

    def _available_allocation(self, node: Node, argument: Node, context: Context) -> Read:
        args = self._listed(node, argument, context, "available_allocation", 3)
        found = self.paths.places(args, context) if args is not None else None
        if args is None or found is None:
            return Literal(None, node.mark), None
        if found[0] and found[1] and any(not p.capability for p in found[0]):
            self._error(context, "S243", "available_allocation leads to a capability", node, "[SELF, CAPABILITY, host, num_cpus], for example")
            return Literal(None, node.mark), None
        value, gives = self.paths.property(args, context, node)
        if isinstance(gives, Schema) and self._base(gives) not in ("integer", "float", "scalar", "?", None):
            self._error(context, "S245", f"nothing can be allocated of {found[1][0].text}: it is of type {self._base(gives)}", node)
        return value, gives

    def _get_artifact(self, node: Node, argument: Node, context: Context) -> Read:
        args = self._listed(node, argument, context, "get_artifact", 2)
        found = self.paths.places(args, context) if args is not None else None
        if found is None or not found[1]:
            return Literal(None, node.mark), "string"
        place, name = found[0][0], found[1][0]
        artifacts = place.node.artifacts if place.node is not None else {}
        artifact = artifacts.get(name.text)
        if artifact is None:
            self._error(context, "S243", f"{place} has no artifact {name.text}", name, did_you_mean(name.text, artifacts))
            return Literal(None, node.mark), "string"
        location = found[1][1].text if len(found[1]) > 1 else ""
        if location or artifact.deploy_path or not artifact.repository:
            return Literal(place_of(artifact, location), node.mark), "string"
        return Literal(source_of(artifact), node.mark), "string"

    def _get_operation_output(self, node: Node, argument: Node, context: Context) -> Read:
        if argument.kind != "list" or len(argument.items) != 4 or any(i.kind != "scalar" for i in argument.items):
            return self._bad(node, context, "get_operation_output", "a list: node template, interface, operation, output")
        start = self.paths.places(argument.items[:1], context)
        if start is None:
            return Literal(None, node.mark), None
        place, (interface, operation, output) = start[0][0], argument.items[1:]
        interfaces = place.node.interfaces if place.node is not None else place.link.interfaces if place.link is not None else {}
        found = interfaces.get(interface.text)
        if found is None:
            self._error(context, "S243", f"{place} has no interface {interface.text}", interface, did_you_mean(interface.text, interfaces))
        elif operation.text not in found.operations:
            hint = did_you_mean(operation.text, found.operations)
            self._error(context, "S243", f"the interface {interface.text} of {place} has no operation {operation.text}", operation, hint)
        else:
            name = self.deployment(place, operation.text)
            if found.operations[operation.text].implementation is not None and name:
                return written(name, output.text, "", node, self._which(place)), None
        return Literal(None, node.mark), None

    def deployment(self, place: Place, operation: str) -> str:
        """The resource that runs an operation; empty where nothing runs it."""
        if place.node is not None:
            return f"{place.node.name}_{operation}" if self.paths.server(place.node) is not None else ""
        return f"{place.link.source.name}_{place.link.name}_{operation}" if place.link is not None else ""

    def _get_nodes_of_type(self, node: Node, argument: Node, context: Context) -> Read:
        name = argument.items[0] if argument.kind == "list" and argument.items else argument
        kind = self.entities.catalog.named("node", name, context.document, "get_nodes_of_type")
        found = [n.name for n in self.nodes.values() if kind is not None and n.type is not None and n.type.is_a(kind)]
        return List(tuple(Literal(n, node.mark) for n in found), node.mark), "list"

    def _node_index(self, node: Node, _argument: Node, context: Context) -> Read:
        if context.node is None and context.link is None and self.complete and context.document.root is not None and not context.relationship:
            problem, hint = "$node_index is only known in a node template", "it is 0 here"
            if context.document.reading.first:
                context.document.reading.lenient(problem, node.mark, hint)
            else:
                self._error(context, "S243", problem, node)
        if context.node is not None and context.node.counted:
            return Call("tosca_index", (Literal(INDEX, node.mark),), node.mark), "integer"
        return Literal(0, node.mark), "integer"

    def _relationship_index(self, node: Node, _argument: Node, context: Context) -> Read:
        return Literal(context.link.index if context.link is not None else 0, node.mark), "integer"

    @staticmethod
    def native(node: NodeTemplate) -> bool:
        """Whether a node is of a native type (or another language's), which no TOSCA file declares."""
        return node.type is not None and node.type.declared is None

    def open_ended(self, place: Place) -> bool:
        """Whether a place may have properties that nobody declares: a node of a native type, or of one that is not known."""
        return place.node is not None and (place.node.type is None or place.node.type.incomplete or self.native(place.node))

    def live(self, place: Place, name: str, keys: tuple[Expr, ...], call: Node) -> Expr | None:
        """An attribute that only the running stack knows; None where the template says it."""
        if place.link is not None:
            given = place.link.outputs.get(name)
            return dig(self._written(*given, place, name, call), keys, call) if given is not None else None
        node = place.node
        assert node is not None
        if place.capability:
            return self._endpoint(place, name, call)
        if place.every and node.counted:
            return Attr(node.name, (Literal(name, call.mark), *keys), call.mark)
        given = node.outputs.get(name)
        if given is not None and given[0] == node.name:
            return dig(Attr(given[0], (Literal("outputs"), Literal(given[1])), call.mark), keys, call)
        if given is not None:
            return dig(self._written(*given, place, name, call), keys, call)
        if name in node.attributes:
            return None
        if self.open_ended(place):
            return Attr(node.name, (Literal(name, call.mark), *keys), call.mark)
        for normative, names in LIVE.items():
            if name in names and node.is_a(normative):
                return member(node, place.index, name, keys, call)
        if name == "tosca_name":
            return Literal(node.name, call.mark)
        if name == "tosca_id":
            return itself(node, place.index, call)
        if name == "state" and name in node.sections.attributes:
            return Literal("started", call.mark)
        if name in node.sections.attributes and name not in node.sections.properties and node.sections.attributes[name].default is None:
            return member(node, place.index, name, keys, call)
        return None

    def _written(self, deployment: str, output: str, place: Place, name: str, call: Node) -> Expr:
        """What an operation wrote for an attribute, as a value of the attribute's type."""
        properties, attributes = self.paths.sections(place)
        definition = attributes.get(name) or properties.get(name)
        shape = self.entities.definitions.schema_shape(definition.schema) if definition is not None else None
        return written(deployment, output, shape.base if shape is not None else "", call, self._which(place))

    def _which(self, place: Place) -> Expr | None:
        """The number of the deployment that is meant, where there is one for every server of a count; the first where nothing says it."""
        node = place.node if place.node is not None else place.link.source if place.link is not None else None
        server = self.paths.server(node) if node is not None else None
        counted = server if server is not None and server.counted else node
        return None if counted is None or not counted.counted else place.index if place.index is not None else Literal(0)

    def _endpoint(self, place: Place, name: str, call: Node) -> Expr | None:
        """``ip_address`` of an endpoint: the address of the server that the node is on."""
        assert place.node is not None
        if name != "ip_address" or name not in self.paths.sections(place)[1]:
            return None
        for host in (place.node, *self.paths.hosts(place.node)):
            if host.is_a("tosca.nodes.Compute"):
                return member(host, place.index, "private_address", (), call)
        return None


def reference(node: NodeTemplate, call: Node) -> Ref:
    """A node template as a whole."""
    return Ref(node.name, call.mark)


def written(deployment: str, output: str, base: str, call: Node, index: Expr | None = None) -> Expr:
    """An output that an operation wrote into a file, without the line break at its end; of a type that is no text, what that text means.

    ``index``: of which deployment, where there is one for every server of a count.
    """
    which = (Literal("resource"), index) if index is not None else ()
    return Call("tosca_output", (Attr(deployment, (*which, Literal("outputs"), Literal(output)), call.mark), Literal(base)), call.mark)


_ORDERED = ("greater_than", "greater_or_equal", "less_than", "less_or_equal")


def _comparable(one: str, other: str) -> bool:
    """Whether values of two base types can be compared; text may be of any type that is written as text."""
    if one == other or {one, other} <= {"integer", "float"} or {one, other} <= {"map", "complex"}:
        return True
    return "string" in (one, other) and bool({one, other} & {"version", "timestamp", "scalar", "bytes", "?"})


def _untexted(name: str, args: tuple[Node, ...]) -> str:
    """2.0: what concat and join put together is text, and nothing is made text of itself."""
    parts = args if name == "concat" else args[0].items if name == "join" and args and args[0].kind == "list" else ()
    wrong = next((p for p in parts if p.kind == "scalar" and not isinstance(scalar_value(p, "core"), str)), None)
    return f'takes texts: write "{wrong.text}"' if wrong is not None else ""
