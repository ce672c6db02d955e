"""HOT's functions to neutral expressions."""

from __future__ import annotations

from collections.abc import Callable

from stackengine.formats.build import expression, text_of
from stackengine.formats.hot.versions import SINCE
from stackengine.formats.reader import Reader
from stackengine.formats.scalars import value
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Attr, Call, Entry, Expr, If, List, Literal, Map, Param, Ref
from stackengine.model.template import Source
from stackengine.model.values import OMIT


class Functions:
    """Recognises ``{name: argument}`` mappings of one template."""

    def __init__(self, version: str, file: str, reader: Reader, sources: list[Source], diagnostics: Diagnostics) -> None:
        self._version, self._file, self._reader, self._sources, self._diagnostics = version, file, reader, sources, diagnostics
        self._table: dict[str, Callable[[Node, Node], Expr]] = {
            "get_param": self._get_param,
            "get_resource": lambda call, arg: Ref(text_of(arg), call.mark),
            "get_attr": self._get_attr,
            "get_file": self._get_file,
            "str_replace": lambda call, arg: self._replace("str_replace", call, arg),
            "str_replace_strict": lambda call, arg: self._replace("str_replace_strict", call, arg),
            "str_replace_vstrict": lambda call, arg: self._replace("str_replace_strict", call, arg),
            "list_join": self._listed("join", 2),
            "str_split": self._str_split,
            "digest": self._listed("digest", 2),
            "repeat": self._repeat,
            "map_merge": self._listed("map_merge", 0),
            "map_replace": self._listed("map_replace", 2),
            "list_concat": self._listed("list_concat", 0),
            "list_concat_unique": self._listed("list_concat_unique", 0),
            "make_url": lambda call, arg: Call("make_url", (self(arg),), call.mark),
            "contains": self._listed("contains", 2),
            "filter": self._listed("filter", 2),
            "equals": self._listed("equals", 2),
            "and": self._conditions("and"),
            "or": self._conditions("or"),
            "not": lambda call, arg: Call("not", (self.condition(arg),), call.mark),
            "if": self._if,
        }

    def __call__(self, node: Node) -> Expr:
        """The expression of any node."""
        return expression(node, "yaml11", self.read)

    def read(self, node: Node) -> Expr | None:
        """The call that ``node`` is, or None."""
        if node.kind != "map" or len(node.entries) != 1:
            return None
        key, argument = node.entries[0]
        name = key.text
        if name not in SINCE:
            return None
        if SINCE[name] > self._version:
            self._diagnostics.error("H120", f"the function {name} is not in HOT {self._version}", key.mark, f"it came with {SINCE[name]}")
            return Literal(None, node.mark)
        if name not in self._table:
            why = "is not supported yet" if name == "yaql" else "needs a nested template"
            self._diagnostics.error("H121", f"the function {name} {why}", key.mark)
            return Literal(None, node.mark)
        return self._table[name](node, argument)

    def condition(self, node: Node) -> Expr:
        """A condition: its name, or a function that gives a boolean."""
        if node.kind == "scalar":
            found = value(node, "yaml11")
            return Literal(found, node.mark) if isinstance(found, bool) else Call("condition", (Literal(node.text, node.mark),), node.mark)
        return self(node)

    def _bad(self, call: Node, shape: str) -> Expr:
        self._diagnostics.error("H122", f"{call.entries[0][0].text} needs {shape}", call.mark)
        return Literal(None, call.mark)

    def _get_param(self, call: Node, arg: Node) -> Expr:
        if arg.kind == "scalar":
            return Param(arg.text, call.mark)
        if arg.kind == "list" and arg.items and arg.items[0].kind == "scalar":
            return Call("dig", (Param(arg.items[0].text, call.mark), List(tuple(self(i) for i in arg.items[1:]), arg.mark)), call.mark)
        return self._bad(call, "a parameter's name, or a list of a name and keys")

    def _get_attr(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or len(arg.items) < 2 or arg.items[0].kind != "scalar":
            return self._bad(call, "a list: a resource, an attribute, and keys into it")
        return Attr(arg.items[0].text, tuple(self(i) for i in arg.items[1:]), call.mark)

    def _get_file(self, call: Node, arg: Node) -> Expr:
        try:
            text = self._reader.read(text_of(arg), self._file)
        except (OSError, ValueError) as error:
            self._diagnostics.error("H123", f"get_file: {error}", arg.mark)
            return Literal("", call.mark)
        self._sources.append(Source(text_of(arg), text))
        return Literal(text, call.mark)

    def _replace(self, fn: str, call: Node, arg: Node) -> Expr:
        template, params = arg.get("template"), arg.get("params")
        if arg.kind != "map" or template is None or params is None:
            return self._bad(call, "a mapping with 'template' and 'params'")
        return Call(fn, (self(template), self(params)), call.mark)

    def _listed(self, fn: str, count: int) -> Callable[[Node, Node], Expr]:
        def read(call: Node, arg: Node) -> Expr:
            if arg.kind != "list" or len(arg.items) < count:
                return self._bad(call, f"a list of {count} items" if count else "a list")
            return Call(fn, tuple(self(i) for i in arg.items), call.mark)

        return read

    def _conditions(self, fn: str) -> Callable[[Node, Node], Expr]:
        def read(call: Node, arg: Node) -> Expr:
            if arg.kind != "list" or len(arg.items) < 2:
                return self._bad(call, "a list of at least two conditions")
            return Call(fn, tuple(self.condition(i) for i in arg.items), call.mark)

        return read

    def _str_split(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or len(arg.items) not in (2, 3):
            return self._bad(call, "a list: delimiter, text, and perhaps an index")
        whole = Call("split", (self(arg.items[0]), self(arg.items[1])), call.mark)
        return Call("select", (self(arg.items[2]), whole), call.mark) if len(arg.items) == 3 else whole

    def _repeat(self, call: Node, arg: Node) -> Expr:
        template, each = arg.get("template"), arg.get("for_each")
        if arg.kind != "map" or template is None or each is None or each.kind != "map":
            return self._bad(call, "a mapping with 'template' and 'for_each'")
        lists = Map(tuple(Entry(k.text, k.mark, self(v)) for k, v in each.entries), each.mark)
        return Call("repeat", (self(template), lists), call.mark)

    def _if(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or len(arg.items) not in (2, 3):
            return self._bad(call, "a list: condition, value, and perhaps a value otherwise")
        otherwise = self(arg.items[2]) if len(arg.items) == 3 else Literal(OMIT, call.mark)
        return If(self.condition(arg.items[0]), self(arg.items[1]), otherwise, call.mark)
