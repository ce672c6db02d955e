"""The contract on libvirt's own test driver, as far as that goes: it proves spelling and the order of calls, not meaning. Skips are counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stackengine import registry
from stackengine.hosts import open_host
from stackengine.sdk import Host
from stackengine.testing import contract

libvirt = pytest.importorskip("libvirt")
TYPES = registry.load(entry_points=False)
CASES = [(name, case) for name, info in sorted(TYPES.types.items()) if not info.handler.inline for case in contract.cases(info)]
POOL = "<pool type='dir'><name>{0}</name><target><path>/tmp/{0}</path></target></pool>"


URI = "test:///default"
"""One host for the whole process: the driver keeps nothing."""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    connection = libvirt.open(URI)
    for pool in ("default", "se-layers"):
        connection.storagePoolCreateXML(POOL.format(pool))
    found = open_host(URI, tmp_path_factory.mktemp("state"))
    yield found
    found.close()  # type: ignore[attr-defined]
    for pool in ("default", "se-layers"):
        connection.storagePoolLookupByName(pool).destroy()
    connection.close()


@pytest.mark.parametrize("check", contract.ON_ANY_HOST, ids=lambda c: c.__name__)
@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_type_keeps_the_contract_on_the_test_driver(host: Host, name: str, case: str, check: contract.Check) -> None:
    subject = contract.Subject(name, TYPES, lambda: host, case)
    try:
        check(subject)
    except contract.Skipped as reason:
        pytest.skip(str(reason))
    finally:
        subject.clear()


BEYOND = {"filter_define", "domain_attach", "volume_copy", "secret_keep"}
"""Calls whose XML the driver cannot take, or takes only with what it belongs to: libvirt's schemas say whether it is right (test_xml.py)."""


def within(golden: Path) -> bool:
    return any(part.split(" -->\n", 1)[0] not in BEYOND for part in golden.read_text().split("<!-- ")[1:])


GOLDEN = sorted(p for info in TYPES.types.values() for p in (info.folder / "golden").glob("*.xml") if within(p))


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda p: f"{p.parent.parent.name}-{p.stem}")
def test_libvirt_takes_the_xml_of_a_type(host: Host, golden: Path) -> None:
    """Parsed, validated and defined by libvirt itself; volumes and domains as the driver keeps them, nothing behind them."""
    connection = libvirt.open(URI)
    pool = connection.storagePoolLookupByName("default")
    for part in golden.read_text().split("<!-- ")[1:]:
        call, xml = part.split(" -->\n", 1)
        if call == "domain_define":
            connection.defineXMLFlags(xml.replace('type="qemu"', 'type="test"', 1), libvirt.VIR_DOMAIN_DEFINE_VALIDATE).undefine()
        elif call == "volume_create":
            pool.createXML(xml).delete()
        elif call == "network_define":
            connection.networkDefineXMLFlags(xml, libvirt.VIR_NETWORK_DEFINE_VALIDATE).undefine()
        else:
            assert call in BEYOND, f"{call}: nothing is tried with it"
    connection.close()
