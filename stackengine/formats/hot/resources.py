"""HOT resources: their keys, policies and dependencies (heat, engine/template_common.py)."""

from __future__ import annotations

from typing import Any

from stackengine.formats.build import as_map, check_keys, plain, text_of
from stackengine.formats.hot import versions as since
from stackengine.formats.hot.functions import Functions
from stackengine.formats.hot.nested import with_nested
from stackengine.formats.life import external_of, with_life
from stackengine.formats.nesting import Loader
from stackengine.formats.scalars import value
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Entry, Expr, Map
from stackengine.model.template import DependsOn, Policies, Resource

KEYS = ("type", "properties", "metadata", "depends_on", "update_policy", "deletion_policy", "description")
NEWER = ("external_id", "condition")
UPDATE_POLICY = ("ignore_changes", "replace", "rolling_update", "batch_create", "AutoScalingRollingUpdate", "AutoScalingScheduledAction")
_ELSEWHERE = {
    **{k: f"{k} came with {since.CONDITIONS}" for k in NEWER},
    "Type": "HOT writes it in lower case: type", "Properties": "HOT writes it in lower case: properties", "Metadata": "HOT writes it in lower case: metadata",
    "DependsOn": "in HOT it is depends_on", "DeletionPolicy": "in HOT it is deletion_policy",
}  # fmt: skip
_LIKE_NONE = "if '{}' is a property, it belongs under properties"
"""Keys that are like none of a resource's are most often properties."""


class Resources:
    """Reads the resources of one template."""

    def __init__(self, version: str, file: str, loader: Loader, functions: Functions, diagnostics: Diagnostics) -> None:
        self._version, self._file, self._loader, self._functions, self._diagnostics = version, file, loader, functions, diagnostics

    def read(self, key: Node, node: Node) -> Resource | None:
        """One resource; None where it has none of what makes one, which is reported."""
        body = as_map(node, f"resource {key.text}", "H105", self._diagnostics)
        if body is None:
            return None
        keys = (*KEYS, *NEWER) if self._version >= since.CONDITIONS else KEYS
        check_keys(body, keys, f"resource {key.text}", "H106", self._diagnostics, _ELSEWHERE, _LIKE_NONE)
        if "/" in key.text or not key.text:
            self._diagnostics.error("H116", "a resource's name is not empty and has no '/' in it", key.mark)
            return None
        type_node = body.get("type")
        if type_node is None or not isinstance(value(type_node, "yaml11") if type_node.kind == "scalar" else None, str) or not type_node.text:
            what = "has no type" if type_node is None else "needs a type that is text"
            self._diagnostics.error("H107", f"resource {key.text} {what}", (type_node or key).mark, "say type: OS::Nova::Server, for example")
            return None
        properties, computed = self._properties(key, body.get("properties"))
        condition = body.get("condition") if self._version >= since.CONDITIONS else None
        policies, deletion = self._policies(key.text, body)
        metadata = self._metadata(key, body.get("metadata"))
        entries = tuple(Entry(k.text, k.mark, self._functions(v)) for k, v in properties.entries) if properties else ()
        made = Resource(
            key.text, type_node.text, Map(entries, properties.mark if properties else key.mark),
            depends_on=self._depends_on(body.get("depends_on")),
            condition=self._functions.condition(condition) if condition else None,
            metadata=metadata, description=text_of(body.get("description")),
            policies=with_life(policies, body.get("metadata"), self._diagnostics),
            external_id=self._maybe(body.get("external_id")) or external_of(metadata),
            mark=key.mark, type_mark=type_node.mark, computed=computed, deletion=deletion,
        )  # fmt: skip
        return with_nested(made, properties, self._loader, self._functions, self._file, self._diagnostics)

    def _properties(self, key: Node, node: Node | None) -> tuple[Node | None, Expr | None]:
        """(the mapping, or the function that gives one)."""
        if node is None:
            return None, None
        called = self._functions.read(node)
        if called is not None:
            return None, called
        if node.kind != "map":
            empty = node.kind == "scalar" and value(node, "yaml11") is None
            what = "properties is empty" if empty else "properties must be a mapping"
            self._diagnostics.error("H108", f"{key.text}: {what}", node.mark, "leave it out, or write {}" if empty else "")
            return None, None
        return node, None

    def _maybe(self, node: Node | None) -> Expr | None:
        return self._functions(node) if node is not None and self._version >= since.CONDITIONS else None

    def _metadata(self, key: Node, node: Node | None) -> Expr | None:
        if node is None:
            return None
        if node.kind != "map":
            self._diagnostics.error("H115", f"{key.text}: metadata must be a mapping", node.mark)
            return None
        return self._functions(node)

    def _depends_on(self, node: Node | None) -> tuple[DependsOn, ...]:
        if node is None:
            return ()
        items = node.items if node.kind == "list" else (node,)
        if any(i.kind != "scalar" or not isinstance(value(i, "yaml11"), str) for i in items):
            self._diagnostics.error("H109", "depends_on takes a resource's name or a list of names", node.mark)
            return ()
        return tuple(DependsOn(i.text, i.mark) for i in items)

    def _policies(self, name: str, body: Node) -> tuple[Policies, Expr | None]:
        deletion, computed = self._deletion(name, body.get("deletion_policy"))
        update = body.get("update_policy")
        extra: dict[str, Any] = {}
        if update is not None and self._functions.read(update) is None:
            if update.kind != "map":
                self._diagnostics.error("H117", f"{name}: update_policy must be a mapping", update.mark)
            else:
                check_keys(update, UPDATE_POLICY, f"update_policy of {name}", "H118", self._diagnostics)
                extra = plain(update, "yaml11")
        ignored = extra.pop("ignore_changes", []) if isinstance(extra, dict) else []
        never = isinstance(extra, dict) and extra.pop("replace", "allow") == "never"
        more: dict[str, Any] = {"update_policy": extra} if extra else {}
        names = tuple(map(str, ignored)) if isinstance(ignored, list) else (str(ignored),)
        return Policies(deletion, deletion, "never" if never else "allow", names, extra=more), computed

    def _deletion(self, name: str, node: Node | None) -> tuple[Any, Expr | None]:
        """(the policy, or the expression that gives it)."""
        if node is None:
            return "Delete", None
        called = self._functions.read(node)
        if called is not None:
            return "Delete", called
        policies = deletion_policies(self._version)
        found = policies.get(text_of(node))
        if found is None:
            near = text_of(node).capitalize()
            hint = did_you_mean(text_of(node), policies) or (f"write {near}" if near in policies else ", ".join(policies))
            self._diagnostics.error("H110", f"{name}: there is no deletion_policy {text_of(node)}", node.mark, hint)
        return found or "Delete", None


def deletion_policies(version: str) -> dict[str, str]:
    """What a version calls them."""
    names = {"Delete": "Delete", "Retain": "Retain", "Snapshot": "Snapshot"}
    return {**names, **{k.lower(): v for k, v in names.items()}} if version >= since.CONDITIONS else names
