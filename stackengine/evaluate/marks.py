"""Where the properties of a resource stand."""

from __future__ import annotations

from stackengine.model.expr import Expr, List, Map
from stackengine.model.mark import NOWHERE, Mark
from stackengine.registry import Dialect


def property_marks(properties: Map) -> dict[str, Mark]:
    """Marks of values by dotted path, as deep as the template keeps them."""
    marks: dict[str, Mark] = {}
    queue: list[tuple[str, Expr]] = [("", properties)]
    while queue:
        prefix, expr = queue.pop()
        if isinstance(expr, Map):
            for entry in expr.entries:
                path = f"{prefix}.{entry.key}" if prefix else entry.key
                marks[path] = entry.value.mark if entry.value.mark != NOWHERE else entry.key_mark
                queue.append((path, entry.value))
        elif isinstance(expr, List):
            for index, item in enumerate(expr.items):
                marks[f"{prefix}.{index}"] = item.mark
                queue.append((f"{prefix}.{index}", item))
    return marks


def key_mark_of(prop: str, properties: Map | None, dialect: Dialect | None, otherwise: Mark) -> Mark:
    """Where the key of a native property (dotted path) stands in the template; ``otherwise`` where the template has none."""
    for name in _spellings(prop, dialect):
        found = _key(properties, name.split("."))
        if found is not None:
            return found
    return otherwise


def written_as(prop: str, properties: Map | None, dialect: Dialect | None) -> str:
    """How the template writes a native property (dotted path), or would write it."""
    parts = prop.split(".")
    for end in range(len(parts), 0, -1):
        head, rest = ".".join(parts[:end]), parts[end:]
        for name in (*_spellings(head, dialect)[1:], head):
            if _key(properties, name.split(".")) is not None or _key(properties, [name]) is not None:
                return ".".join((name, *rest))
    foreign = _spellings(prop, dialect)[1:]
    return foreign[0] if foreign else prop


def _spellings(prop: str, dialect: Dialect | None) -> list[str]:
    """How the template may have written a native property."""
    found = [prop]
    for name, conversion in (dialect.properties if dialect is not None else {}).items():
        if conversion.to and (prop == conversion.to or prop.startswith(conversion.to + ".")):
            found.append(name + prop.removeprefix(conversion.to))
    return found


def _key(expr: Expr | None, path: list[str]) -> Mark | None:
    mark: Mark | None = None
    for part in path:
        if isinstance(expr, Map):
            entry = next((e for e in expr.entries if e.key == part), None)
            if entry is None:
                return None
            mark, expr = entry.key_mark, entry.value
        elif isinstance(expr, List) and part.isdigit() and int(part) < len(expr.items):
            expr = expr.items[int(part)]
            mark = expr.mark
        else:
            return None
    return mark if mark != NOWHERE else None
