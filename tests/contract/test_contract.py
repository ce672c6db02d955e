"""Every registered type keeps the contract, on a memory host; how many checks did not apply is counted in the report of skips."""

from __future__ import annotations

import pytest

from stackengine import registry
from stackengine.testing import contract

TYPES = registry.load(entry_points=False)


CHECKS = [c if "crashed" not in c.__name__ else pytest.param(c, marks=pytest.mark.thorough) for c in contract.CHECKS]
"""A type is crashed at every call and commit of its life: hundreds of lives for one type."""
CASES = [
    pytest.param(name, case, marks=pytest.mark.thorough) if name == "SE::Server" and case != "hot" else (name, case)
    for name, info in sorted(TYPES.types.items())
    for case in contract.cases(info)
]
"""A server is written in many ways: the first one is tried all the time, every other thoroughly."""


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_type_keeps_the_contract(name: str, case: str, check: contract.Check) -> None:
    try:
        check(contract.Subject(name, TYPES, case=case))
    except contract.Skipped as reason:
        pytest.skip(str(reason))
