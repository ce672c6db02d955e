"""Reference pages of the resource types (``docs/reference/types/``), from their schemas, dialects and examples; a test keeps them true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stackengine.cli.render.types import kind_of
from stackengine.hosts.libvirt.drivers import esx, lxc, qemu, xen
from stackengine.model.expr import Attr, Literal
from stackengine.model.mark import NOWHERE
from stackengine.model.values import Unknown
from stackengine.registry import Dialect, Registry, ResourceTypeInfo
from stackengine.sdk import GONE, KINDS, Profile
from stackengine.testing.bench import desired_of
from stackengine.testing.contract import cases

_LANGUAGES = {"hot": "HOT", "cfn": "CloudFormation", "tosca": "TOSCA"}
_TESTED = {
    "guest": "real guest",
    "changed": "real QEMU: made and changed",
    "qemu": "real QEMU: made",
    "schema": "schema only: valid XML, memory host",
    "memory": "memory host",
    "-": "-",
}
_HEAD = """\
# Resource types

Made from the schemas; do not edit (`pytest tests/unit/test_types_reference.py --update-golden` writes these pages again). `stack-run types NAME` prints one.

How a change is applied: **live** while the guest runs, **reboot** by a restart, **replace** by a new generation. How it was tested:
**real guest**: a test looks at packets, disks or processes of a booted guest (`tests/real/*_on_guests.py`); **real QEMU**: the contract suite makes it
on a real libvirtd with QEMU (`tests/real/test_types.py`), and changes it there where it says so; **schema only**: its XML is valid under libvirt's RNG
schemas, and the contract suite passes on the memory host, but no host was at hand that has what it needs; **memory host**: it has nothing on a host,
or the contract suite passes on `memory://`. That is for hosts with QEMU or KVM; **on** says on which hypervisors there is such a thing at all (on the others
the plan refuses it), and [the page of hypervisors](../hypervisors.md) how those were tested.

What can be done in which kind of storage pool: [pools](pools.md).
"""

_POOLS = """\
# Storage pools

Made from the table in `stackengine/sdk/pools.py`; do not edit. A volume says by `pool` where it is. `stack-run pools add URI NAME KIND KEY=VALUE…` defines
a pool on a host, `stack-run pools ls URI` lists them; what is on the devices is used as it is, nothing is formatted. Every host of ours has the pool `default`.

Where libvirt makes no volumes, a volume names one that is there (`existing: unit:0:0:1`): it is used, and left in the end. What has no pool at all is named by
its address (`at: nbd://…`, `iscsi://…`, `rbd://…`).

"""


_LOCAL = frozenset({"publish", "signals-http"})
HOSTS = {
    "QEMU": Profile("kvm", "kvm", features=qemu.FEATURES | _LOCAL | {"forwarding", "uefi", "tpm", "vsock"}),
    "Xen": Profile("xen", "xen", features=xen.FEATURES | _LOCAL | {*xen.MODES.values()}),
    "LXC": Profile("lxc", "lxc", features=lxc.FEATURES | _LOCAL, image_parts=("rootfs",)),
    "vSphere": Profile("esx", "vmware", features=esx.FEATURES, local=False),
}
"""Profiles of hosts of this machine that have what a property may need."""


def pages(known: Registry) -> Iterator[tuple[str, str]]:
    """(file name, text) of every page, the list first."""
    types = sorted(known.types.values(), key=lambda t: t.name)
    rows = [f"| [`{t.name}`]({file_of(t)}) | {_sentence(t.description)} | {', '.join(d.name for d in _dialects(t, known)) or '-'} |" for t in types]
    yield "README.md", "\n".join([_HEAD, "| type | what it is | also written as |", "|---|---|---|", *rows, ""])
    for info in types:
        yield file_of(info), page(info, known)
    yield "pools.md", pools_page()


def pools_page() -> str:
    """What the kinds of storage pools can do."""
    heads = ["kind", "a disk there is", "said of it", "volumes made", "grow", "copied, snapshots", "encrypted", "wiped", "tested"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for k in KINDS.values():
        said = [*k.needs, *(f"({m})" for m in k.may), *(["path"] if not k.path else [])]
        marks = ["yes" if x else "no" for x in (k.grows, k.copies, k.takes, k.wipes)]
        cells = [f"`{k.name}`", k.disk, ", ".join(said) or "-", " or ".join(k.formats) or "no: `existing`", *marks, _TESTED[k.tested]]
        lines.append("| " + " | ".join(cells) + " |")
    gone = [f"- `{name}`: {why}." for name, why in GONE.items()]
    return "\n".join([_POOLS, *lines, "", "Not supported, and what took their place:", "", *gone, ""])


def file_of(info: ResourceTypeInfo) -> str:
    """``SE::FloatingIP`` -> ``floating_ip.md``: as its folder is called."""
    return f"{info.folder.name}.md"


def page(info: ResourceTypeInfo, known: Registry) -> str:
    """Everything of one type, in Markdown."""
    lines = [f"# {info.name}", "", info.description.strip(), ""]
    if info.schema.get("needs"):
        lines += [f"Needs a host with the feature `{info.schema['needs']}`.", ""]
    lines += [f"There is such a thing on {hosts_with(info)}.", ""]
    used, required = used_properties(info, known), set(info.schema.get("required", ()))
    if info.properties:
        lines += ["| property | type | default | a change is | needs | on | tested | meaning |", "|---|---|---|---|---|---|---|---|"]
        for name, p in info.properties.items():
            default = "required" if name in required else f"`{p['default']}`" if "default" in p else "-"
            tested = _TESTED[how_tested(info, name, used)]
            where = f"{p.get('needs', '-')} | {hosts_with(info, name)}"
            lines.append(f"| `{name}` | {kind_of(p)} | {default} | {info.effects[name]} | {where} | {tested} | {_about(p)} |")
        lines.append("")
    if info.attributes:
        lines += ["| attribute | type | known | meaning |", "|---|---|---|---|"]
        lines += [f"| `{n}` | {kind_of(a)} | when {a.get('when', 'configured')} | {_about(a)} |" for n, a in info.attributes.items()]
        lines.append("")
    for dialect in _dialects(info, known):
        lines += _names(dialect)
    return "\n".join(lines).rstrip() + "\n"


def hosts_with(info: ResourceTypeInfo, name: str = "") -> str:
    """The hypervisors whose plans do not refuse a type with its defaults, and with ``name`` set to whatever."""
    unknown = Unknown(Attr("other", (Literal("attribute"),), NOWHERE))
    want = {n: p.get("default", unknown) for n, p in info.properties.items() if "default" in p or n in info.schema.get("required", ())}
    want |= {name: unknown} if name else {}
    found = [label for label, profile in HOSTS.items() if all(r.severity != "error" for r in info.handler.refuse(want, profile))]
    return "all" if len(found) == len(HOSTS) else ", ".join(found) or "none"


def used_properties(info: ResourceTypeInfo, known: Registry) -> set[str]:
    """Properties that an example of the type says."""
    found: set[str] = set()
    for case in cases(info):
        path = info.folder / "examples" / f"{case}.yaml"
        if case and path.is_file():
            found.update(k for r in desired_of(path, known).resources.values() if r.type == info.name for k in r.properties)
    return found


def how_tested(info: ResourceTypeInfo, name: str, used: set[str]) -> str:
    """A key of ``_TESTED``: as the schema says (``tested``), else by what the contract suite does on real QEMU."""
    schema = info.properties[name]
    if "tested" in schema:
        return str(schema["tested"])
    if info.handler.inline:
        return "memory"
    if len(schema.get("examples", ())) >= 2 and info.effects[name] in ("live", "reboot"):
        return "changed"
    return "qemu" if name in used else "memory"


def _names(dialect: Dialect) -> list[str]:
    lines = [f"## {dialect.name} ({_LANGUAGES[dialect.language]})", ""]
    renamed = [f"| `{k}` | `{c.to.lstrip('$')}` |" for k, c in dialect.properties.items() if c.to]
    rest = {k: c for k, c in dialect.properties.items() if c.ignore or c.refuse}
    other = [f"| `{k}` | {'no effect' if c.ignore else 'refused'}: {_cell(c.ignore or c.refuse)} |" for k, c in rest.items()]
    if renamed or other:
        lines += ["| property | here |", "|---|---|", *renamed, *other, ""]
    return lines


def _dialects(info: ResourceTypeInfo, known: Registry) -> list[Dialect]:
    order = list(_LANGUAGES)
    return sorted((d for d in known.dialects.values() if d.native == info.name), key=lambda d: (order.index(d.language), d.name))


def _sentence(text: str) -> str:
    return _cell(text.strip().partition(". ")[0].partition("\n")[0].rstrip("."))


def _about(schema: dict[str, Any]) -> str:
    return _cell(str(schema.get("description", "")).strip() + (" (sensitive)" if schema.get("sensitive") else "")) or "-"


def _cell(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|")
