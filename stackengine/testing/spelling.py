"""The XML that a type hands to its host: recorded, and checked against libvirt's own RNG schemas."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from stackengine.sdk import Host

SCHEMAS = Path("/usr/share/libvirt/schemas")
ROOTS = {"domain_define": "domain", "network_define": "network", "volume_create": "storagevol", "filter_define": "nwfilter", "secret_keep": "secret"}
"""Host call -> the schema of its XML."""
_DOMAIN = "<domain type='qemu'><name>n</name><memory>1</memory><os><type>hvm</type></os><devices>{}</devices></domain>"
_NETWORK = {
    "ip-dhcp-host": "<network><name>n</name><ip address='10.0.0.1' prefix='24'><dhcp>{}</dhcp></ip></network>",
    "dns-host": "<network><name>n</name><dns>{}</dns></network>",
    "portgroup": "<network><name>n</name>{}</network>",
}


class Recording:
    """A host that keeps every XML that it is given, as (call, XML, schema or empty)."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.given: list[tuple[str, str, str]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._host, name)
        if name in ROOTS:
            return self._taking(found, name, lambda *a: (a[0] if name == "secret_keep" else a[-1], ROOTS[name]))
        if name == "volume_copy":
            return self._taking(found, name, lambda *a: (a[2], "storagevol"))
        if name == "domain_attach":
            return self._taking(found, name, lambda *a: (_DOMAIN.format(a[1]), "domain"))
        if name == "network_update":
            return self._taking(found, name, lambda *a: (_NETWORK[a[2]].format(a[3]), "network"))
        return found

    def _taking(self, call: Callable[..., Any], name: str, document: Callable[..., tuple[str, str]]) -> Callable[..., Any]:
        def taken(*arguments: Any) -> Any:
            self.given.append((name, *document(*arguments)))
            return call(*arguments)

        return taken


@cache
def _schema(name: str) -> Any:
    etree = import_module("lxml.etree")
    return etree.RelaxNG(etree.parse(SCHEMAS / f"{name}.rng"))


def misspelt(xml: str, schema: str) -> list[str]:
    """What libvirt's schema says against a document; empty when it is valid. FileNotFoundError where the schemas are not installed."""
    if not (SCHEMAS / f"{schema}.rng").is_file():
        raise FileNotFoundError(SCHEMAS / f"{schema}.rng")
    etree, found = import_module("lxml.etree"), _schema(schema)
    return [] if found.validate(etree.fromstring(xml.encode())) else [str(e) for e in found.error_log]


def as_text(given: list[tuple[str, str, str]]) -> str:
    """What a host was given, in its order, as one text for a golden file."""
    from xml.etree import ElementTree as ET

    ET.register_namespace("dnsmasq", "http://libvirt.org/schemas/network/dnsmasq/1.0")
    parts = []
    for call, xml, _ in given:
        root = ET.fromstring(xml)
        ET.indent(root)
        parts.append(f"<!-- {call} -->\n{ET.tostring(root, encoding='unicode')}\n")
    return "\n".join(parts)
