"""Whole documents, valid or invalid in one respect (``verdicts.txt``): what is wrong is told, what is right is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from verdicts import Verdicts

VERDICTS = Verdicts(Path(__file__).parent / "verdicts.txt")


def test_verdicts(record_property: Callable[[str, object], None]) -> None:
    """One test for all of them, which says every case that came out otherwise."""
    record_property("cases", len(VERDICTS.cases))
    assert not (wrong := VERDICTS.otherwise()), "\n".join(wrong)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("cfn bdm wrong", "V103 1:137 V.BlockDeviceMappings.0.Ebs.VolumeSize"),
        ("cfn sg ingress unknown key", "V101 1:125 AWS::EC2::SecurityGroup has no property SecurityGroupIngress.0.FromPrt"),
        ("cfn subnet no vpc", "V102 1:13 V: property VpcId is required"),
    ],
)
def test_place(name: str, place: str) -> None:
    assert VERDICTS.faults(name)[0].startswith(place)
