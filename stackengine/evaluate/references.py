"""References between resources: do they exist, what do they make wait for what, and do they go in circles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackengine.evaluate.kinds import Kinds
from stackengine.evaluate.written import Written
from stackengine.model.desired import Dependency, DesiredResource
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Attr, Literal, Ref
from stackengine.model.mark import NOWHERE, Mark
from stackengine.model.values import Value, unknowns
from stackengine.registry import ResourceTypeInfo


def dependencies_of(properties: dict[str, Value], types: dict[str, ResourceTypeInfo], marks: dict[str, Mark]) -> list[Dependency]:
    """One dependency per (target, need), from the residual references in ``properties``."""
    found: dict[tuple[str, str], Dependency] = {}
    for name, value in properties.items():
        for unknown in unknowns(value):
            for reference in unknown.refs():
                need = _need(reference, types)
                mark = reference.mark if reference.mark != NOWHERE else marks.get(name, NOWHERE)
                found.setdefault((reference.target, need), Dependency(reference.target, need, f"properties.{name}", mark))
    return [d for d in found.values() if d.need == "ready" or (d.path, "ready") not in found]


def _need(reference: Ref | Attr, types: dict[str, ResourceTypeInfo]) -> Any:
    if isinstance(reference, Ref) or reference.target not in types:
        return "configured"
    first = reference.path[0]
    known = types[reference.target].attribute_need(str(first.value)) if isinstance(first, Literal) else "configured"
    return "ready" if known == "ready" else "configured"


def check_attribute(
    reference: Ref | Attr, types: Mapping[str, ResourceTypeInfo], written: Mapping[str, Written], kinds: Kinds, diagnostics: Diagnostics
) -> None:
    """Report an attribute that the type does not have (R104)."""
    info = types.get(reference.target)
    if info is None or not isinstance(reference, Attr) or not isinstance(reference.path[0], Literal) or not info.attributes:
        return
    name = str(reference.path[0].value)
    if name not in info.attributes:
        foreign = written[reference.target].type if reference.target in written else info.name
        dialect = kinds.dialect(foreign)
        known = [*(dialect.attributes if dialect is not None else ()), *info.attributes]
        diagnostics.error("R104", f"{reference.target} ({foreign}) has no attribute {name}", reference.mark, did_you_mean(name, known))


def report_cycles(resources: dict[str, DesiredResource], diagnostics: Diagnostics) -> bool:
    """Report every cycle once, with all places on it; returns whether there is one."""
    state: dict[str, int] = {}
    found = False
    for start, first in resources.items():
        if state.get(start):
            continue
        stack = [(start, iter(first.depends))]
        trail = [start]
        state[start] = 1
        while stack:
            path, edges = stack[-1]
            edge = next((e for e in edges if e.path in resources), None)
            if edge is None:
                state[path] = 2
                stack.pop()
                trail.pop()
            elif state.get(edge.path) == 1:
                found = True
                _report(trail[trail.index(edge.path) :], resources, diagnostics)
            elif not state.get(edge.path):
                state[edge.path] = 1
                trail.append(edge.path)
                stack.append((edge.path, iter(resources[edge.path].depends)))
    return found


def _report(trail: list[str], resources: dict[str, DesiredResource], diagnostics: Diagnostics) -> None:
    steps = []
    for path, following in zip(trail, [*trail[1:], trail[0]], strict=True):
        edge = next(e for e in resources[path].depends if e.path == following)
        steps.append(f"{path} -> {following} ({edge.via}{f', {edge.mark}' if edge.mark != NOWHERE else ''})")
    diagnostics.error("R105", f"these resources wait for each other: {' -> '.join([*trail, trail[0]])}", resources[trail[0]].mark_of(), detail="; ".join(steps))
