"""HOT's functions to neutral expressions: which mappings are calls, and of what shape their arguments must be."""

from __future__ import annotations

from collections.abc import Callable, Collection

from stackengine.formats.build import expression
from stackengine.formats.hot import versions as since
from stackengine.formats.hot.legacy import Legacy
from stackengine.formats.reader import Reader
from stackengine.formats.scalars import value
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Attr, Call, Expr, If, List, Literal, Param, Ref
from stackengine.model.template import Source
from stackengine.model.values import FAULTY, OMIT

FACADE = {"metadata": "metadata", "deletion_policy": "deletion_policy", "update_policy": "update_policy"}
_AMBIGUOUS = {
    "if": lambda a: a.kind == "list" and len(a.items) in (2, 3),
    "filter": lambda a: a.kind == "list" and len(a.items) == 2,
    "contains": lambda a: a.kind == "list" and len(a.items) == 2,
    "digest": lambda a: a.kind == "list" and len(a.items) == 2,
    "repeat": lambda a: a.kind == "map" and a.get("for_each") is not None,
}
"""Words that may be plain data in a version that has no such function: they are taken for a function only in its shape."""


_CALLED = tuple(n for n in since.SINCE if "_" in n)
"""Names of functions that are nobody's data."""


class Functions(Legacy):
    """Recognises ``{name: argument}`` mappings of one template."""

    def __init__(
        self, version: str, file: str, reader: Reader, sources: list[Source], diagnostics: Diagnostics, parameters: Collection[str] = (),
        resources: Collection[str] = (),
    ) -> None:  # fmt: skip
        super().__init__(diagnostics, resources)
        self._version, self._file, self._reader, self._sources, self._parameters = version, file, reader, sources, parameters
        new_text = version >= since.JSON_IN_TEXT
        self._table: dict[str, Callable[[Node, Node], Expr]] = {
            "get_param": self._get_param,
            "get_resource": self._get_resource,
            "get_attr": self._get_attr,
            "get_file": self._get_file,
            "str_replace": lambda call, arg: self._replace("str_replace" if new_text else "str_replace_text", call, arg),
            "str_replace_strict": lambda call, arg: self._replace("str_replace_strict", call, arg),
            "str_replace_vstrict": lambda call, arg: self._replace("str_replace_vstrict", call, arg),
            "list_join": self._list_join if new_text else lambda call, arg: self._fixed("list_join_text", call, arg, 2, "a list: a delimiter and a list"),
            "str_split": self._str_split,
            "digest": lambda call, arg: self._computed("digest", call, arg, (2,), "a list: an algorithm and text"),
            "repeat": self._repeat,
            "map_merge": lambda call, arg: self._computed("map_merge", call, arg, (), "a list of maps"),
            "map_replace": lambda call, arg: self._computed("map_replace", call, arg, (2,), "a list: a map, and a map with 'keys' and 'values'"),
            "list_concat": lambda call, arg: self._computed("list_concat", call, arg, (), "a list of lists"),
            "list_concat_unique": lambda call, arg: self._computed("list_concat_unique", call, arg, (), "a list of lists"),
            "make_url": self._make_url,
            "contains": lambda call, arg: self._fixed("heat_contains", call, arg, 2, "a list: a value and a list"),
            "filter": lambda call, arg: self._fixed("filter", call, arg, 2, "a list: the values to leave out, and a list"),
            "yaql": self._yaql,
            "if": self._if,
            "resource_facade": lambda call, arg: self.facade(call, arg, FACADE),
            **self.legacy(),
        }

    def __call__(self, node: Node) -> Expr:
        """The expression of any node."""
        return expression(node, "yaml11", self.read)

    def read(self, node: Node) -> Expr | None:
        """The call that ``node`` is, or None where it is plain data."""
        if node.kind != "map" or len(node.entries) != 1:
            return None
        key, argument = node.entries[0]
        name, first = key.text, since.SINCE.get(key.text)
        if first is None:
            self._misspelt(key)
            return None
        if first > self._version:
            if name in _AMBIGUOUS and not _AMBIGUOUS[name](argument):
                return None
            self._diagnostics.error("H120", f"the function {name} is not in HOT {self._version}", key.mark, f"it came with {first}")
            return Literal(FAULTY, node.mark)
        if since.REMOVED.get(name, "9") <= self._version:
            self._diagnostics.error("H121", f"HOT {self._version} has no {name} any more", key.mark, f"use {since.INSTEAD[name]}")
            return Literal(FAULTY, node.mark)
        return self._table[name](node, argument)

    def _misspelt(self, key: Node) -> None:
        """Tell of a map that looks like a call: Heat takes it for data, and so do we."""
        if "_" not in key.text:
            return
        import difflib

        near = difflib.get_close_matches(key.text, _CALLED, 1, 0.8)
        if near and since.SINCE[near[0]] <= self._version:
            self._diagnostics.warning("H128", f"{key.text} is no function, so this is plain data", key.mark, f"did you mean {near[0]}?")

    def _text(self, node: Node) -> str | None:
        """The text of a scalar that is text; None for everything else."""
        found = value(node, "yaml11") if node.kind == "scalar" else None
        return found if isinstance(found, str) else None

    def _by_computed_name(self, kind: str, call: Node, arg: Node, *, listed: bool) -> Expr | None:
        """A call whose name is computed itself, or None."""
        first = arg.items[0] if listed and arg.kind == "list" and arg.items else arg
        name = self.read(first)
        if name is None:
            return None
        rest = arg.items[1:] if first is not arg else ()
        return Call("named", (Literal(kind), name, *(self(i) for i in rest)), call.mark)

    def _get_param(self, call: Node, arg: Node) -> Expr:
        computed = self._by_computed_name("parameter", call, arg, listed=True)
        if computed is not None:
            return Call("or_empty", (computed,), call.mark)
        name = self._text(arg.items[0] if arg.kind == "list" and arg.items else arg)
        if not name:
            return self.bad(call, "a parameter's name, or a list of a name and keys")
        if name.startswith("AWS::") and name not in self._parameters:
            self._diagnostics.error("H124", f"HOT has no parameter {name}", arg.mark, did_you_mean(name.lower(), ("OS::stack_name", "OS::stack_id")))
            return Literal(FAULTY, call.mark)
        if arg.kind == "scalar":
            return Param(name, call.mark)
        path = List(tuple(self(i) for i in arg.items[1:]), arg.mark)
        return Call("or_empty", (Call("dig", (Param(name, call.mark), path), call.mark),), call.mark) if path.items else Param(name, call.mark)

    def _get_resource(self, call: Node, arg: Node) -> Expr:
        computed = self._by_computed_name("resource", call, arg, listed=False)
        if computed is not None:
            return computed
        name = self._text(arg)
        return Ref(name, call.mark) if name else self.bad(call, "a resource's name")

    def _get_attr(self, call: Node, arg: Node) -> Expr:
        whole = self._version >= since.JSON_IN_TEXT
        computed = self._by_computed_name("attribute", call, arg, listed=True) if arg.kind == "list" and len(arg.items) > 1 else None
        if computed is not None:
            return computed
        name = self._text(arg.items[0]) if arg.kind == "list" and arg.items else None
        if not name or (len(arg.items) < 2 and not whole):
            return self.bad(call, "a list: a resource, an attribute, and keys into it")
        return Attr(name, tuple(self(i) for i in arg.items[1:]), call.mark)

    def _get_file(self, call: Node, arg: Node) -> Expr:
        name = self._text(arg)
        if not name:
            return self.bad(call, "a file's name")
        try:
            text = self._reader.read(name, self._file)
        except (OSError, ValueError) as error:
            self._diagnostics.error("H123", f"get_file: {error}", arg.mark)
            return Literal(FAULTY, call.mark)
        self._sources.append(Source(name, text))
        return Literal(text, call.mark)

    def _replace(self, fn: str, call: Node, arg: Node) -> Expr:
        template, params = (arg.get("template"), arg.get("params")) if arg.kind == "map" else (None, None)
        if template is None or params is None:
            return self.bad(call, "a mapping with 'template' and 'params'")
        if params.kind != "map":
            return self.bad(call, "a mapping as 'params'")
        return Call(fn, (self(template), self(params)), call.mark)

    def _list_join(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or len(arg.items) < 2:
            return self.bad(call, "a list: a delimiter, and one list or several")
        if any(i.kind == "scalar" and value(i, "yaml11") for i in arg.items[1:]):
            return self.bad(call, "lists after the delimiter", "put the items into a list of their own")
        return Call("list_join", tuple(self(i) for i in arg.items), call.mark)

    def _fixed(self, fn: str, call: Node, arg: Node, count: int, shape: str) -> Expr:
        if arg.kind != "list" or len(arg.items) != count:
            return self.bad(call, shape)
        return Call(fn, tuple(self(i) for i in arg.items), call.mark)

    def _computed(self, fn: str, call: Node, arg: Node, counts: tuple[int, ...], shape: str) -> Expr:
        """A list of arguments, or a function that gives one."""
        inner = self.read(arg)
        if inner is not None:
            return Call("apply", (Literal(fn), inner), call.mark)
        if arg.kind != "list" or (counts and len(arg.items) not in counts):
            return self.bad(call, shape)
        return Call(fn, tuple(self(i) for i in arg.items), call.mark)

    def _str_split(self, call: Node, arg: Node) -> Expr:
        return self._computed("str_split", call, arg, (2, 3), "a list: a delimiter, text, and perhaps an index")

    def _make_url(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "map" or self.read(arg) is not None:
            return self.bad(call, "a mapping of scheme, host, port, path and so on")
        port = arg.get("port")
        if port is not None and port.kind == "scalar" and value(port, "yaml11") in ("", None):
            return self.bad(call, "a port that is a number from 1 to 65535, or none at all")
        return Call("make_url", (self(arg),), call.mark)

    def _yaql(self, call: Node, arg: Node) -> Expr:
        text = arg.get("expression") if arg.kind == "map" else None
        if text is None or any(k.text not in ("expression", "data") for k in arg.key_nodes()):
            return self.bad(call, "a mapping with 'expression' and 'data'")
        data = arg.get("data")
        return Call("yaql", (self(text), self(data) if data is not None else Literal({})), call.mark)

    def _repeat(self, call: Node, arg: Node) -> Expr:
        template, each = (arg.get("template"), arg.get("for_each")) if arg.kind == "map" else (None, None)
        lists = self(each) if each is not None else None
        if template is None or lists is None or isinstance(lists, (Literal, List)):
            return self.bad(call, "a mapping with 'template' and a mapping 'for_each'")
        mode = Literal("maps" if self._version >= since.MAPS_IN_REPEAT else "lists")
        rows = arg.get("permutations")
        if rows is None or self._version < since.PERMUTATIONS:
            return Call("repeat", (self(template), lists, mode), call.mark)
        return Call("repeat", (self(template), lists, mode, self(rows)), call.mark)

    def _if(self, call: Node, arg: Node) -> Expr:
        omissible = self._version >= since.IF_WITHOUT_ELSE
        if arg.kind != "list" or len(arg.items) not in ((2, 3) if omissible else (3,)):
            return self.bad(call, "a list: condition, value, and a value otherwise", "" if omissible else "the last may be left out since 2021-04-16")
        otherwise = self(arg.items[2]) if len(arg.items) == 3 else Literal(OMIT, call.mark)
        return If(self.condition(arg.items[0]), self(arg.items[1]), otherwise, call.mark)

    # conditions have functions of their own

    def condition(self, node: Node) -> Expr:
        """A condition where one is wanted: its name, true or false, or a function."""
        found = value(node, "yaml11") if node.kind == "scalar" else None
        if isinstance(found, bool):
            return Literal(found, node.mark)
        if isinstance(found, str) and found:
            return Call("condition", (Literal(found, node.mark),), node.mark)
        called = self.condition_function(node)
        if called is None:
            self._diagnostics.error("H125", "a condition is a name, true or false, or one function", node.mark, self._near_condition(node))
            return Literal(False, node.mark)
        return called

    def definition(self, node: Node) -> Expr:
        """A condition as the section defines it: true or false, or a function."""
        found = value(node, "yaml11") if node.kind == "scalar" else None
        if isinstance(found, bool):
            return Literal(found, node.mark)
        called = self.condition_function(node)
        if called is None:
            self._diagnostics.error("H126", "a condition is defined as true, false or one function", node.mark, self._near_condition(node))
            return Literal(False, node.mark)
        return called

    def _near_condition(self, node: Node) -> str:
        known = self._condition_functions()
        word = node.entries[0][0].text if node.kind == "map" and node.entries else ""
        return did_you_mean(word, known) or ", ".join(known)

    def condition_function(self, node: Node) -> Expr | None:
        """The function of conditions that ``node`` is."""
        if node.kind != "map" or len(node.entries) != 1:
            return None
        key, arg = node.entries[0]
        match key.text:
            case name if name not in self._condition_functions():
                return None
            case "equals":
                if arg.kind != "list" or len(arg.items) != 2:
                    return self.bad(node, "a list of two values")
                return Call("same", tuple(self._compared(i) for i in arg.items), node.mark)
            case "contains":
                if arg.kind != "list" or len(arg.items) != 2:
                    return self.bad(node, "a list: a value and a list")
                return Call("heat_contains", tuple(self._compared(i) for i in arg.items), node.mark)
            case "not":
                return Call("not", (self.condition(arg),), node.mark)
            case "and" | "or" as name:
                if arg.kind != "list" or len(arg.items) < 2:
                    return self.bad(node, "a list of at least two conditions")
                return Call(name, tuple(self.condition(i) for i in arg.items), node.mark)
            case name:
                return Call("heat_condition", (self._table[name](node, arg),), node.mark)

    def _compared(self, node: Node) -> Expr:
        """A value inside a condition: only the functions of conditions count there."""
        return expression(node, "yaml11", self._inside_condition)

    def _inside_condition(self, node: Node) -> Expr | None:
        name = node.entries[0][0].text if node.kind == "map" and len(node.entries) == 1 else ""
        if name not in self._condition_functions() and since.SINCE.get(name, "9") <= self._version:
            what = f"the function {name} cannot be used in a condition"
            self._diagnostics.error("H127", what, node.entries[0][0].mark, ", ".join(self._condition_functions()))
            return Literal(FAULTY, node.mark)
        called = self.condition_function(node)
        return called.args[0] if isinstance(called, Call) and called.fn == "heat_condition" else called

    def _condition_functions(self) -> list[str]:
        return [n for n, first in since.CONDITIONS_SINCE.items() if first <= self._version]
