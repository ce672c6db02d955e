"""Tables of the reference pages (``docs/reference``): what of a language's resource types becomes what of ours."""

from __future__ import annotations

from collections.abc import Container, Iterable

from stackengine.registry import Conversion, Dialect, Registry


def code(words: Iterable[str]) -> str:
    """Words as code, with commas between them."""
    return ", ".join(f"`{w}`" for w in words)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], *, coded: bool = True) -> list[str]:
    """The lines of a table; ``coded``: the first column is code."""
    made = [f"| {f'`{first}`' if coded else first} | {' | '.join(rest)} |" for first, *rest in rows]
    return ["", f"| {' | '.join(head)} |", "|" + "---|" * len(head), *made, ""]


def state(conversion: Conversion) -> str:
    """What becomes of a property."""
    if conversion.refuse:
        return f"refused (V105): {conversion.refuse}"
    return f"taken up elsewhere: {conversion.used}" if conversion.used else f"ignored: {conversion.ignore}" if conversion.ignore else "supported"


def type_section(dialect: Dialect, registry: Registry, *, whose: str = "", only: Container[str] | None = None, without: Iterable[str] = ()) -> list[str]:
    """What of one type is supported and what is not.

    ``whose``: the language, where the properties of ours that the type takes besides are named; ``only``: the properties that the type has in the
    language, where its dialect serves two; ``without``: attributes that have no value here.
    """
    properties = {n: c for n, c in dialect.properties.items() if only is None or n in only}
    also = sorted(n for n in registry.types[dialect.native].properties if n not in properties) if whose else []
    lines = [f"### {dialect.name}", "", f"A {dialect.native}.", ""]
    for label, words in (
        ("Supported", [n for n, c in properties.items() if c.to]), ("Attributes", dialect.attributes), ("Attributes without a value (R114)", list(without)),
        (f"Besides {whose}", also),
    ):  # fmt: skip
        lines += [f"{label}: {code(words)}.", ""] if words else []
    rows = [(n, state(c)) for kind in ("used", "ignore", "refuse") for n, c in properties.items() if getattr(c, kind)]
    return [*lines, *(table(("property", "state"), rows) if rows else [])]
