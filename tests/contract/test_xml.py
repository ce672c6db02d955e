"""The XML of every type: as the golden files in its folder show it, and valid under libvirt's schemas."""

from __future__ import annotations

from contextlib import suppress

import pytest

from golden_files import check_file
from stackengine import registry
from stackengine.hosts.memory import MemoryHost
from stackengine.sdk import UnsupportedError
from stackengine.testing import contract, spelling

TYPES = registry.load(entry_points=False)
CASES = [(name, case) for name, info in sorted(TYPES.types.items()) if not info.handler.inline for case in contract.cases(info)]


def given_by(name: str, case: str) -> list[tuple[str, str, str]]:
    host = MemoryHost()
    bench = contract.Subject(name, TYPES, lambda: host, case).bench()
    recording = spelling.Recording(host)
    bench.host = recording
    bench.create()
    for prop, _, second in contract.Subject(name, TYPES, case=case).variants():
        if bench.desired.resources[bench.subject].properties.get(prop) != second:
            with suppress(UnsupportedError):  # it does not go with the rest of the example
                bench.run(bench.change(prop, second))
    return recording.given


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_xml_of_a_type_is_valid_under_libvirts_own_schemas(name: str, case: str) -> None:
    pytest.importorskip("lxml")
    for call, xml, schema in given_by(name, case):
        try:
            wrong = spelling.misspelt(xml, schema)
        except FileNotFoundError as missing:
            pytest.skip(f"{missing} is not installed (libvirt-clients)")
        assert not wrong, f"{call}: {wrong}\n{xml}"


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_xml_of_a_type_is_as_it_was(name: str, case: str, request: pytest.FixtureRequest) -> None:
    host = MemoryHost()
    bench = contract.Subject(name, TYPES, lambda: host, case).bench()
    recording = spelling.Recording(host)
    bench.host = recording
    bench.create()
    if recording.given:
        check_file(TYPES.types[name].folder / "golden" / f"{case}.xml", spelling.as_text(recording.given), update=request.config.getoption("--update-golden"))
