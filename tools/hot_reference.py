"""Writes docs/reference/hot.md: every construct of HOT and every type of Heat, as the code has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stackengine import registry
from stackengine.formats.environment.files import SECTIONS, STRATEGIES
from stackengine.formats.environment.types import ACTIONS, HOOKS, OWN
from stackengine.formats.hot import versions as since
from stackengine.formats.hot.constraints import FITS, GENERIC, SERVICES
from stackengine.formats.hot.nested import CHAIN, DEPLOYMENTS, GROUP, SCALING, STACK
from stackengine.formats.hot.parameters import TYPES
from stackengine.formats.scaling import GROUPS
from stackengine.testing.tables import code, type_section

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "hot.md"
NESTED = {
    STACK: "a nested template, `template` as text or by get_file; `context` is ignored", GROUP: "members by stable keys, `removal_policies`, `index_var`",
    CHAIN: "one member for each link", SCALING: "a group that keeps the size it has at first (H150)",
    "AWS::CloudFormation::Stack": "a nested template by `TemplateURL`",
    **dict.fromkeys(GROUPS, "instances by its launch configuration; it keeps the size it has at first (V120)"),
    **dict.fromkeys(DEPLOYMENTS, "one deployment for each server of a map"),
}  # fmt: skip

INTRO = """# HOT: what is supported

Made from the code by `tools/hot_reference.py`; a test says whether it is current. "Refused" means an error with the code that is named; "ignored"
means that it is accepted and told in a notice or a warning. The rules are Heat 27's: where it refuses, this engine refuses, and all faults of a
template are told in one run.
"""

SECTIONS_OF_TEMPLATE = """## Sections and keys

| where | key | |
|---|---|---|
| template | `heat_template_version` | supported; another version is refused (H101) |
| template | `description`, `parameters`, `resources`, `outputs` | supported; all but the version may be left out |
| template | `parameter_groups` | supported: parameters that are there, each in one group (H145 to H149) |
| template | `conditions` | supported since 2016-10-14 |
| template | anything else | refused (H102) |
| parameter | `type`, `default`, `description`, `label`, `hidden`, `constraints` | supported; `hidden` makes a secret |
| parameter | `immutable` | supported: another value in an update is refused (P106); a secret one is not compared |
| parameter | `tags` | accepted since 2018-03-02, for people |
| parameter | `schema` | accepted and ignored, as in Heat |
| resource | `type`, `properties`, `metadata`, `depends_on`, `description` | supported; `properties` may be one function |
| resource | `condition` | supported since 2016-10-14 |
| resource | `external_id` | supported since 2016-10-14 for servers, volumes and networks: used, and neither changed nor deleted |
| resource | `deletion_policy` | supported, in lower case since 2016-10-14; a function is worked out |
| resource | `update_policy` | `rolling_update`, `batch_create`: read, changes come in the plan's order; `ignore_changes`, `replace: never`: our own |
| resource | anything else | refused (H106) |
| output | `value`, `description` | supported |
| output | `condition` | supported since 2016-10-14 |
| output | anything else | ignored (H112), as in Heat |
"""

ENVIRONMENT = {
    "parameters": "supported; one that the template does not have is refused (P101)",
    "parameter_defaults": "supported, in nested templates, too",
    "resource_registry": "supported: types, template files, wildcards, `base_url`, `resources: {name: {type: …}}`, null",
    "parameter_merge_strategies": f"supported: {', '.join(STRATEGIES)}; files that do not agree are refused (E107)",
    "encrypted_param_names": "supported: their values are secrets",
    "event_sinks": "ignored (E109): events stay in the stack's own log",
}


def page() -> str:
    """The whole page."""
    parts = [INTRO, SECTIONS_OF_TEMPLATE, *_functions(), *_parameters(), *_environments(), *_types()]
    return "\n".join(p.rstrip("\n") + "\n" for p in parts)


def _functions() -> Iterator[str]:
    yield "## Functions\n"
    yield f"| function | {' | '.join(since.VERSIONS)} |\n|---|{'---|' * len(since.VERSIONS)}\n" + "".join(
        f"| `{name}` | {' | '.join('x' if v in _with(name) else '' for v in since.VERSIONS)} |\n" for name in since.SINCE
    )
    names = ", ".join(f"{r} = {d}" for r, d in since.RELEASES.items())
    yield f"""Release names: {names}.

- A function in a version before it came is refused (H120), one that is gone is refused (H121), arguments of the wrong shape are refused (H122).
- Since {since.JSON_IN_TEXT} `str_replace` and `list_join` take maps and lists, `list_join` takes several lists, `get_attr: [resource]` gives all attributes.
- `repeat` takes maps since {since.MAPS_IN_REPEAT} and `permutations` since {since.PERMUTATIONS}; `if` may do without its else since {since.IF_WITHOUT_ELSE}.
- `get_file` reads beside the template, and elsewhere only what the machine's owner allows (H123).
- A map that looks like a misspelt function is plain data, and told (H128).
- Names of parameters and resources may be computed, of what is known before apply.
- `get_attr` of what is not there yet is known after apply, where Heat gives null.
- A property that is null has its default or the empty value of its kind, which its constraints must allow; what need not be said is not.
"""
    yield "In conditions: " + ", ".join(f"`{n}` since {d}" for n, d in since.CONDITIONS_SINCE.items()) + "; any other function is refused there (H127)."


def _with(name: str) -> list[str]:
    return [v for v in since.VERSIONS if name in since.functions_of(v)]


def _parameters() -> Iterator[str]:
    yield "## Parameters\n"
    yield f"Types: {', '.join(f'`{t}`' for t in TYPES)}.\n"
    yield "| constraint | fits |\n|---|---|\n" + "".join(f"| `{c}` | {', '.join(f)} |\n" for c, f in FITS.items())
    yield f"""`modulo` came with {since.MODULO}. A default that breaks a constraint is refused (P104), whatever is given.

Custom constraints that are looked at: {', '.join(f'`{c}`' for c in GENERIC)} (`test_constr` holds always).
Those that ask a cloud's service are accepted, and what they name is looked at where it is used:
{', '.join(f'`{c}`' for c in SERVICES)}. Others are refused (H139).
"""


def _environments() -> Iterator[str]:
    yield "## Environment files\n"
    yield "| section | |\n|---|---|\n" + "".join(f"| `{s}` | {ENVIRONMENT[s]} |\n" for s in SECTIONS)
    yield f"""Several files are merged in their order. Of `resources` in the registry: types for one resource;
`restricted_actions` ({', '.join(ACTIONS)}): the resource is never replaced;
`hooks` ({', '.join(HOOKS)}) are ignored with a warning (E108); entries for resources inside nested templates are refused (E112).
Names that Heat maps by itself: {', '.join(f'`{k}` to `{v}`' for k, v in OWN.items())}.
"""


def _types() -> Iterator[str]:
    known = registry.load(entry_points=False)
    supported = {n: d for n in registry.heat_types() if (d := known.dialect(n)) is not None}
    yield "## Resource types\n"
    yield "Properties of every type are checked by Heat's own schema (V101, V102, V103), of those that are not supported, too.\n"
    yield "| type | here |\n|---|---|\n" + "".join(f"| `{n}` | `{d.native}` |\n" for n, d in supported.items()) + "".join(
        f"| `{n}` | {what} |\n" for n, what in NESTED.items() if n in registry.heat_types() or n == STACK
    )
    rest = [n for n in registry.heat_types() if n not in supported and n not in NESTED]
    yield f"### Known, and not supported\n\nRefused with R110; `--accept-inert` records them without making anything: {code(rest)}.\n"
    yield "## Properties of the supported types\n"
    yield "Besides those of Heat, a type takes the properties of [the type of ours](types/README.md) that it becomes.\n"
    for name, dialect in supported.items():
        heats = registry.heat_types()[name]
        yield "\n".join(type_section(dialect, known, only=heats["p"], without=[a for a in heats["a"] if a != "show" and a not in dialect.attributes]))


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
