"""Stacks of one store that use each other: exports and imports, outputs, records, secrets; and handlers of custom resources."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stackengine import service
from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.service import Session, operations, stacks
from stackengine.service.types import Request, Settings

pytestmark = pytest.mark.thorough

BASE = """
Parameters: {Color: {Type: String, Default: red}}
Resources:
  Shared: {Type: 'AWS::SSM::Parameter', Properties: {Name: /shop/color, Type: String, Value: !Ref Color}}
  List: {Type: 'AWS::SSM::Parameter', Properties: {Name: /shop/zones, Type: StringList, Value: 'a, b'}}
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties: {Name: db, GenerateSecretString: {SecretStringTemplate: '{"user": "admin"}', GenerateStringKey: password, PasswordLength: 24}}
Outputs:
  Color: {Value: !GetAtt Shared.Value, Export: {Name: !Sub '${AWS::StackName}-color'}}
"""
USER = """
Parameters:
  Zones: {Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: /shop/zones}
Resources:
  A: {Type: 'SE::None', Properties: {value: [!ImportValue base-color, !GetStackOutput {StackName: base, OutputName: Color}, !Ref Zones]}}
  B: {Type: 'SE::None', Properties: {value: '{{resolve:ssm:/shop/color}} {{resolve:secretsmanager:db:SecretString:user}}'}}
Outputs:
  A: {Value: !GetAtt A.value}
"""


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with service.open(Settings(state=str(tmp_path / "state"), host="memory://")) as opened:
        yield opened


def up(session: Session, folder: Path, name: str, text: str, **parameters: Any) -> dict[str, Any]:
    file = folder / f"{name}.yaml"
    file.write_text("AWSTemplateFormatVersion: 2010-09-09\n" + text)
    result = operations.carry_out(session, stacks.preview(session, Request(name, file, parameters)))
    assert result.status == "complete", result.failures
    return {n: o.value for n, o in stacks.outputs(session, name, show_secrets=True).items()}


def refused(session: Session, folder: Path, name: str, text: str, **parameters: Any) -> list[str]:
    with pytest.raises(InvalidTemplateError) as caught:
        up(session, folder, name, text, **parameters)
    return [f"{d.code} {d.summary}" for d in caught.value.diagnostics.errors]


def test_stacks_use_what_others_export_record_and_keep_secret(session: Session, tmp_path: Path) -> None:
    assert up(session, tmp_path, "base", BASE) == {"Color": "red"}
    assert up(session, tmp_path, "user", USER) == {"A": ["red", "red", ["a", "b"]]}
    row = session.store.stack("user")
    assert row is not None
    properties = {i.path: i.properties for i in session.store.recorded(row.id).instances.values()}
    assert session.store.vault(row.id).open(properties["B"]["value"]) == "red admin"


def test_an_export_in_use_neither_goes_nor_changes(session: Session, tmp_path: Path) -> None:
    up(session, tmp_path, "base", BASE)
    up(session, tmp_path, "user", USER)
    moved = BASE.replace("Outputs:", "\n\nOutputs:")
    assert up(session, tmp_path, "base", moved) == {"Color": "red"}
    gone = BASE.replace(", Export: {Name: !Sub '${AWS::StackName}-color'}", "")
    assert refused(session, tmp_path, "base", gone) == ["R121 Export base-color cannot be deleted as it is in use by user"]
    with pytest.raises(InvalidTemplateError, match="in use by user"):
        stacks.preview_down(session, "base")
    other = BASE.replace("!GetAtt Shared.Value", "blue")
    assert refused(session, tmp_path, "base", other) == ["R121 Export base-color cannot be updated as it is in use by user"]
    operations.carry_out(session, stacks.preview_down(session, "user"))
    assert up(session, tmp_path, "base", other) == {"Color": "blue"}


def test_names_of_exports_and_records_are_unique(session: Session, tmp_path: Path) -> None:
    up(session, tmp_path, "base", BASE)
    twice = "Resources: {X: {Type: 'SE::None'}}\nOutputs: {O: {Value: x, Export: {Name: base-color}}}\n"
    assert refused(session, tmp_path, "two", twice) == ["R120 Export with name base-color is already exported by stack base."]
    record = "Resources: {X: {Type: 'AWS::SSM::Parameter', Properties: {Name: /shop/color, Type: String, Value: x}}}\n"
    assert "record /shop/color is taken" in refused(session, tmp_path, "three", record)[0]


def test_what_is_not_there_is_told(session: Session, tmp_path: Path) -> None:
    assert [r.partition(" ")[0] for r in refused(session, tmp_path, "user", USER)] == ["R103"] * 5


def test_a_secret_is_kept_and_used_by_its_own_stack(session: Session, tmp_path: Path) -> None:
    copy = "  Copy: {Type: 'SE::None', Properties: {value: !Sub '{{resolve:secretsmanager:${Secret}:SecretString:password}}'}}\n"
    up(session, tmp_path, "base", BASE.replace("Outputs:", copy + "Outputs:"))
    row = session.store.stack("base")
    assert row is not None
    vault, found = session.store.vault(row.id), {i.path: i for i in session.store.recorded(row.id).instances.values()}
    secret = json.loads(vault.open(found["Secret"].attributes["value"]))
    assert secret["user"] == "admin"
    assert len(secret["password"]) == 24
    assert vault.open(found["Copy"].properties["value"]) == secret["password"]


CUSTOM = """
Parameters: {Size: {Type: String, Default: small}}
Resources:
  Made: {Type: 'Custom::Thing', Properties: {ServiceToken: '%s', size: !Ref Size}}
Outputs:
  Size: {Value: !GetAtt Made.size}
  Id: {Value: !Ref Made}
"""
PROGRAM = """#!/usr/bin/env python3
import json, sys
event = json.load(sys.stdin)
open(sys.argv[0] + ".log", "a").write(event["RequestType"] + " " + event.get("PhysicalResourceId", "-") + "\\n")
size = event["ResourceProperties"]["size"]
print(json.dumps({"Status": "SUCCESS", "PhysicalResourceId": "p-" + size, "Data": {"size": size}}))
"""


def test_a_custom_resource_is_refused_until_the_owner_allows_its_program(session: Session, tmp_path: Path) -> None:
    program = tmp_path / "make"
    assert refused(session, tmp_path, "custom", CUSTOM % program)[0].startswith("X104")
    assert refused(session, tmp_path, "custom", CUSTOM % "http://127.0.0.1:1/x")[0].startswith("X104")
    assert refused(session, tmp_path, "custom", CUSTOM % "os:system")[0].startswith("X104")
    assert refused(session, tmp_path, "custom", CUSTOM % "arn:aws:lambda:local:1:function:f")[0].startswith("R122")


def test_a_handler_of_aws_is_only_recorded_where_that_is_accepted(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "custom.yaml"
    file.write_text(CUSTOM % "arn:aws:lambda:local:1:function:f")
    preview = stacks.preview(session, Request("custom", file, {}, accept_inert=True))
    assert "R122" in [d.code for d in preview.diagnostics if d.severity == "notice"]
    assert operations.carry_out(session, preview).status == "complete"
    operations.carry_out(session, stacks.preview_down(session, "custom"))


def test_a_program_makes_changes_and_deletes_a_custom_resource(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "make"
    program.write_text(PROGRAM)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    config = tmp_path / "config" / "stackengine"
    config.mkdir(parents=True)
    (config / "owner.yaml").write_text(f"allow: {{commands: [{program}]}}\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with service.open(Settings(state=str(tmp_path / "state"), host="memory://")) as session:
        assert up(session, tmp_path, "custom", CUSTOM % program) == {"Size": "small", "Id": "p-small"}
        assert up(session, tmp_path, "custom", CUSTOM % program, Size="large") == {"Size": "large", "Id": "p-large"}
        operations.carry_out(session, stacks.preview_down(session, "custom"))
    assert (tmp_path / "make.log").read_text().splitlines() == ["Create -", "Update p-small", "Delete p-small", "Delete p-large"]
