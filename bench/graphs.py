"""Template texts of no-op resources in three shapes: wide, chain, layers."""

from __future__ import annotations

SHAPES = ("wide", "chain", "layers")
LAYER = 50


def dependencies(shape: str, count: int) -> list[list[int]]:
    """For each of ``count`` resources the earlier ones that it depends on."""
    if shape == "wide":
        return [[] for _ in range(count)]
    if shape == "chain":
        return [[i - 1] if i else [] for i in range(count)]
    return [[i - LAYER, i - LAYER + (1 if (i + 1) % LAYER else 1 - LAYER)] if i >= LAYER else [] for i in range(count)]


def hot(shape: str, count: int, marker: str = "a") -> str:
    """A HOT template of ``count`` ``SE::None`` resources."""
    lines = ["heat_template_version: 2018-08-31", "resources:"]
    for index, needs in enumerate(dependencies(shape, count)):
        lines += [f"  r{index}:", "    type: SE::None", "    properties:", f"      value: {marker}{index}"]
        if needs:
            lines.append(f"    depends_on: [{', '.join(f'r{n}' for n in needs)}]")
    return "\n".join(lines) + "\n"


def critical_path(shape: str, count: int) -> int:
    """Resources on the longest path."""
    depth: list[int] = []
    for needs in dependencies(shape, count):
        depth.append(1 + max((depth[n] for n in needs), default=0))
    return max(depth)
