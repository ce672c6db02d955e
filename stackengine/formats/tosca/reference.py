"""The reference page of what is read of TOSCA, from the tables that read it (``docs/reference/tosca.md``; a test keeps it true)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import resources

from stackengine.formats.tosca import profile, semantics
from stackengine.formats.tosca.functions import NAMES_1
from stackengine.formats.tosca.groups import POLICY_EXTENSIONS
from stackengine.formats.tosca.keynames import MOVED, entities, keys_of
from stackengine.formats.tosca.mapping import BLOCK, COMPUTE, NETWORK, PORT, UNSUPPORTED
from stackengine.formats.tosca.rules import CLAUSE_NAMES, QUERIES
from stackengine.formats.tosca.service import CAPABILITY_EXTENSIONS, EXTENSIONS
from stackengine.formats.tosca.types import BUILT_IN
from stackengine.formats.tosca.versions import DRAFTS, ORDER, PROFILES, VERSIONS

_NATIVE = {COMPUTE: "`SE::Server`", BLOCK: "`SE::Volume`", NETWORK: "`SE::Network`", PORT: "`SE::Port`"}


def page(properties: Iterable[str] = ()) -> str:
    """The whole page; ``properties``: what becomes of those of the normative types, which the types of ours say."""
    return "\n".join(_lines(properties))


def _lines(properties: Iterable[str]) -> Iterator[str]:
    yield "# TOSCA\n"
    yield "Generated from the tables that read it; `stackengine/formats/tosca`.\n"
    yield "## Versions\n"
    yield f"{', '.join(f'`{h}` ({v})' for h, v in VERSIONS.items())}; with a warning also {', '.join(f'`{h}`' for h in DRAFTS)}."
    yield f"Headers of profiles, whose types are imported like any others: {', '.join(f'`{h}` (read as {v})' for h, v in PROFILES.items())}.\n"
    yield "## Keys\n"
    yield "Every key is read and checked in the versions with a mark; in others it is refused, with a word on where it is known (S202).\n"
    for entity in entities():
        yield f"### {entity}\n"
        yield f"| key | {' | '.join(ORDER)} | |"
        yield f"|---|{'---|' * (len(ORDER) + 1)}"
        for key in keys_of(entity).values():
            notes = [*(["mandatory"] if key.mandatory else []), *([f"before: `{MOVED[key.name]}`"] if key.name in MOVED and key.first == "2.0" else [])]
            yield f"| `{key.name}` | {' | '.join('✓' if key.in_version(v) else '' for v in ORDER)} | {', '.join(notes)} |"
        yield ""
    yield "## Data types\n"
    yield f"1.x: {', '.join(f'`{n}`' for n in BUILT_IN['1'])}. 2.0: {', '.join(f'`{n}`' for n in BUILT_IN['2'])}.\n"
    yield f"Constraint clauses of 1.x: {', '.join(f'`{n}`' for n in CLAUSE_NAMES)}.\n"
    yield "## Functions\n"
    yield f"1.x: {', '.join(f'`{n}`' for n in NAMES_1)}.\n"
    yield f"2.0: {', '.join(f'`${n}`' for n in (*QUERIES, 'value', *semantics.FUNCTIONS))}.\n"
    yield from _types()
    yield from properties
    yield (resources.files("stackengine.formats.tosca") / "profiles" / "reference.md").read_text("utf-8")


def _types() -> Iterator[str]:
    yield "## Normative types\n"
    yield "In 1.x without an import, in 2.0 by `imports: [{profile: org.oasis-open.simple:2.0}]`."
    yield "A type of one's own becomes what its nearest mapped ancestor becomes.\n"
    yield "| node type | becomes |"
    yield "|---|---|"
    for short in profile.names("node"):
        name = profile.PREFIX["node"] + short
        yield f"| `{name}` | {_NATIVE.get(name, 'a record, with a warning (S263)' if name in UNSUPPORTED else 'a record; its operations run on its host')} |"
    yield ""
    for kind in profile.PREFIX:
        if kind != "node":
            yield f"{kind}: {', '.join(f'`{n}`' for n in profile.names(kind))}.\n"
    yield "Properties of ours besides: " + "; ".join(f"`{n}`: {', '.join(f'`{p}`' for p in props)}" for n, props in EXTENSIONS.items()) + "."
    yield "Of capabilities of Compute: " + "; ".join(f"`{n}`: {', '.join(f'`{p}`' for p in props)}" for n, props in CAPABILITY_EXTENSIONS.items()) + "."
    yield "Of policies: " + "; ".join(f"`{n}`: {', '.join(f'`{p}`' for p in props)}" for n, props in POLICY_EXTENSIONS.items()) + ".\n"
