"""A mistake of the template's shape hides no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackengine.cli.main import main

TEMPLATE = """heat_template_version: 2018-08-31
resorces: {}
resources:
  a: {type: OS::Heat::Nome}
  b: {type: OS::Heat::RandomString, properties: {length: -5, lenght: 3}}
outputs:
  o: {value: {get_attr: [c, value]}}
  p: {valu: 1}
"""


def test_faults_of_shape_and_of_meaning_are_told_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("STACKENGINE_STATE", str(tmp_path / "state"))
    (tmp_path / "s.yaml").write_text(TEMPLATE)
    assert main(["validate", str(tmp_path / "s.yaml")]) == 3
    said = capsys.readouterr().out
    assert [line[6:10] for line in said.splitlines() if line.startswith("error[")] == ["H102", "R101", "V103", "V101", "R102", "H113"]
