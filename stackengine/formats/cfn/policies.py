"""Attributes of a resource that say how it lives: DeletionPolicy, UpdateReplacePolicy, CreationPolicy, UpdatePolicy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from stackengine.formats.build import as_map, check_keys, text_of
from stackengine.formats.cfn.calls import called
from stackengine.formats.cfn.functions import Functions
from stackengine.formats.cfn.scalars import scalar
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Expr, Literal, walk
from stackengine.model.template import Policies

DELETION = ("Delete", "Retain", "Snapshot", "RetainExceptOnCreate")
SNAPSHOTS = frozenset((
    "AWS::DocDB::DBCluster", "AWS::EC2::Volume", "AWS::ElastiCache::CacheCluster", "AWS::ElastiCache::ReplicationGroup", "AWS::Neptune::DBCluster",
    "AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::Redshift::Cluster",
))  # fmt: skip
"""Types of AWS whose deletion policy may be Snapshot (User Guide, DeletionPolicy attribute)."""
REPLACE = ("Delete", "Retain", "Snapshot")
SIGNALLED = frozenset(("AWS::EC2::Instance", "AWS::AutoScaling::AutoScalingGroup"))
"""Types whose resources wait for signals of their own; of a group each instance waits for its own."""
CREATION = {
    "ResourceSignal": ("Count", "Timeout"), "AutoScalingCreationPolicy": ("MinSuccessfulInstancesPercent",), "StartFleet": (),
}  # fmt: skip
UPDATE = {
    "AutoScalingRollingUpdate": "groups keep the size that they have at first", "AutoScalingReplacingUpdate": "there are no groups that scale themselves",
    "AutoScalingScheduledAction": "groups keep the size that they have at first", "CodeDeployLambdaAliasUpdate": "there is no CodeDeploy",
    "UseOnlineResharding": "there is no ElastiCache", "EnableVersionUpgrade": "there is no OpenSearch",
}  # fmt: skip
"""Update policies of AWS, and why each has no effect."""
_DURATION = re.compile(r"PT(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?\Z")


@dataclass(frozen=True, slots=True)
class Waiting:
    """CreationPolicy ResourceSignal."""

    count: int
    timeout: int
    """Seconds."""


def policies(name: str, body: Node, functions: Functions, diagnostics: Diagnostics) -> Policies:
    """What a resource's attributes say of its life."""
    deletion = _one_of(name, "DeletionPolicy", DELETION, body, functions, diagnostics)
    replaced = _one_of(name, "UpdateReplacePolicy", REPLACE, body, functions, diagnostics)
    waiting = _creation(name, body.get("CreationPolicy"), text_of(body.get("Type")), diagnostics)
    _update(name, body.get("UpdatePolicy"), diagnostics)
    signals = {"count": waiting.count, "timeout": waiting.timeout} if waiting is not None else None
    return Policies(deletion, replaced, signals=signals)


def _one_of(name: str, key: str, known: tuple[str, ...], body: Node, functions: Functions, diagnostics: Diagnostics) -> Any:
    node = body.get(key)
    if node is None:
        return "Delete"
    if called(node) is not None:
        if not functions.names.extended:
            diagnostics.warning("C142", f"a function for {key} of {name} needs the line 'Transform: AWS::LanguageExtensions' on AWS", node.mark)
        early = functions.names.early
        known_now = early.text(node) if early is not None else None
        found = known_now if known_now is not None else _careful(functions.at("DeletionPolicy")(node))
    else:
        found = node.text if node.kind == "scalar" else ""
    if found not in known:
        hint = did_you_mean(found, known) or ", ".join(known)
        diagnostics.error("C110", f"Template error: Unrecognized {key} {found} for resource {name}".replace("  ", " "), node.mark, hint)
        return "Delete"
    kind = text_of(body.get("Type"))
    if found == "Snapshot" and kind.startswith("AWS::") and kind not in SNAPSHOTS:
        what = "deletion" if key == "DeletionPolicy" else "update replace"
        diagnostics.error("C110", f"Template error: resource type {kind} does not support {what} policy Snapshot", node.mark, "Delete, or Retain")
        return "Delete"
    return found


def _careful(expr: Expr) -> str:
    """The most careful of what a function may give: it is decided when the template is read."""
    names = {e.value for e in walk(expr) if isinstance(e, Literal) and isinstance(e.value, str)}
    return next((k for k in ("Retain", "Snapshot", "Delete") if k in names), "Retain")


def _creation(name: str, node: Node | None, kind: str, diagnostics: Diagnostics) -> Waiting | None:
    body = as_map(node, f"CreationPolicy of {name}", "C172", diagnostics) if node is not None and called(node) != "Fn::If" else None
    if body is None:
        return None
    check_keys(body, (*CREATION,), f"CreationPolicy of {name}", "C173", diagnostics)
    found = None
    for key, value in body.entries:
        if key.text == "ResourceSignal":
            found = _signal(name, value, diagnostics)
            if kind not in SIGNALLED:
                known = "instances, groups of them, and wait conditions with a handle wait for signals"
                diagnostics.notice("C171", f"ResourceSignal of {name} has no effect: {known}", key.mark)
        elif key.text in CREATION:
            diagnostics.notice("C171", f"{key.text} of {name} has no effect: groups keep the size that they have at first", key.mark)
    return found


def _signal(name: str, node: Node, diagnostics: Diagnostics) -> Waiting:
    if node.kind != "map":
        diagnostics.error("C172", f"ResourceSignal of {name} must be a mapping", node.mark, "Count and Timeout")
        return Waiting(1, 300)
    check_keys(node, CREATION["ResourceSignal"], f"ResourceSignal of {name}", "C173", diagnostics)
    count, timeout = node.get("Count"), node.get("Timeout")
    many = 1
    if count is not None and called(count) is None:
        value = scalar(count) if count.kind == "scalar" else None
        if not str(value).isdigit():
            diagnostics.error("C172", f"Count of the ResourceSignal of {name} is a number", count.mark)
        else:
            many = int(str(value))
    seconds = 300
    if timeout is not None and called(timeout) is None:
        read = duration(timeout.text if timeout.kind == "scalar" else "")
        if read is None or not 0 < read <= 43_200:
            diagnostics.error("C172", f"Timeout of the ResourceSignal of {name} is a time in ISO 8601 form, up to 12 hours", timeout.mark, "for example PT15M")
        else:
            seconds = read
    return Waiting(many, seconds)


def duration(text: str) -> int | None:
    """Seconds of ``PT1H30M``, or None."""
    found = _DURATION.match(text)
    return sum(int(g or 0) * f for g, f in zip(found.groups(), (3600, 60, 1), strict=True)) if found else None


def _update(name: str, node: Node | None, diagnostics: Diagnostics) -> None:
    body = as_map(node, f"UpdatePolicy of {name}", "C172", diagnostics) if node is not None and called(node) != "Fn::If" else None
    if body is None:
        return
    check_keys(body, (*UPDATE,), f"UpdatePolicy of {name}", "C173", diagnostics)
    for key in body.key_nodes():
        if key.text in UPDATE:
            diagnostics.notice("C171", f"{key.text} of {name} has no effect: {UPDATE[key.text]}", key.mark)
