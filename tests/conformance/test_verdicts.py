"""Whole documents, valid or invalid in one respect (each language's ``verdicts.txt``): what is wrong is told, what is right is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from verdicts import Verdicts

VERDICTS = {language: Verdicts(Path(__file__).parent / language / "verdicts.txt") for language in ("cfn", "tosca")}


@pytest.mark.parametrize("language", VERDICTS)
def test_verdicts(language: str, record_property: Callable[[str, object], None]) -> None:
    """One test for all of a language, which says every case that came out otherwise."""
    record_property("cases", len(VERDICTS[language].cases))
    assert not (wrong := VERDICTS[language].otherwise()), "\n".join(wrong)


@pytest.mark.parametrize(
    ("language", "name", "place"),
    [
        ("cfn", "cfn bdm wrong", "V103 1:137 V.BlockDeviceMappings.0.Ebs.VolumeSize"),
        ("cfn", "cfn sg ingress unknown key", "V101 1:125 AWS::EC2::SecurityGroup has no property SecurityGroupIngress.0.FromPrt"),
        ("cfn", "cfn subnet no vpc", "V102 1:13 V: property VpcId is required"),
        ("tosca", "op missing in node interface 1.3", "S272 5:98"),
        ("tosca", "index beyond list 2.0", "S243 8:47"),
        ("tosca", "key of complex type that has none", "S243 10:47"),
        ("tosca", "output mapping unknown attribute", "S273 15:99"),
        ("tosca", "workflow outputs unknown attribute", "S273 14:90"),
    ],
)
def test_place(language: str, name: str, place: str) -> None:
    assert VERDICTS[language].faults(name)[0].startswith(place)
