"""Templates in CloudFormation's shape for Heat: its own functions, parameters and refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stackengine import formats, registry
from stackengine.evaluate import explore
from stackengine.model.diagnostics import Diagnostics

TYPES = registry.load(entry_points=False)


def explored(body: dict[str, Any], version: str = "2012-12-12") -> tuple[Any, list[str]]:
    diagnostics = Diagnostics()
    text = json.dumps({"HeatTemplateFormatVersion": version, **body})
    loaded = formats.load(text, "t.json", formats.NoReader(), diagnostics, lenient=True)
    assert loaded is not None
    found = explore(loaded, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics, native=Diagnostics())
    return found, sorted({d.code for d in diagnostics.errors})


BODY: dict[str, Any] = {
    "Parameters": {"P": {"Type": "String", "Default": "x"}, "L": {"Type": "CommaDelimitedList", "Default": "a,b"}},
    "Mappings": {"M": {"k": {"v": "found"}}},
    "Resources": {"R": {"Type": "OS::Heat::Value", "Properties": {"value": {"a": 1}}}},
}


@pytest.mark.parametrize(("value", "gives"), [
    ({"Ref": "P"}, "x"),
    ({"Fn::FindInMap": ["M", "k", "v"]}, "found"),
    ({"Fn::Join": ["-", {"Ref": "L"}]}, "a-b"),
    ({"Fn::Select": ["1", {"Ref": "L"}]}, "b"),
    ({"Fn::Select": ["9", {"Ref": "L"}]}, ""),
    ({"Fn::Split": [",", "a,b"]}, ["a", "b"]),
    ({"Fn::Replace": [{"$p": {"Ref": "P"}}, "a $p"]}, "a x"),
    ({"Fn::Base64": "as it is"}, "as it is"),
    ({"Fn::MemberListToMap": ["Name", "Value", [".member.0.Name=a", ".member.0.Value=b"]]}, {"a": "b"}),
    ({"Fn::ResourceFacade": "DeletionPolicy"}, "Delete"),
    ({"Ref": "AWS::StackName"}, "s"),
])  # fmt: skip
def test_function(value: Any, gives: Any) -> None:
    found, errors = explored({**BODY, "Outputs": {"O": {"Value": value}}})
    assert errors == []
    assert found.outputs["O"].value == gives


def test_attributes_are_known_after_apply() -> None:
    found, errors = explored({**BODY, "Outputs": {"O": {"Value": {"Fn::GetAtt": ["R", "value"]}}}})
    assert errors == []
    assert found.outputs["O"].value.describe() == "R.value"


@pytest.mark.parametrize(("body", "codes"), [
    ({"Outputs": {"O": {"Value": {"Fn::Sub": "x"}}}}, ["H120"]),
    ({"Outputs": {"O": {"Value": {"Fn::Join": ["-"]}}}}, ["H122"]),
    ({"Outputs": {"O": {"Value": {"Ref": "nothing"}}}}, ["R103"]),
    ({"Outputs": {"O": {"Description": "d"}}}, ["H113"]),
    ({"Conditions": {}}, ["H102"]),
    ({"Parameters": {"P": {"Type": "string"}}}, ["H132", "P102"]),
    ({"Parameters": {"P": {"Type": "String", "Default": "abc", "MaxLength": "2"}}}, ["P104"]),
    ({"Parameters": {"P": {"Type": "Number", "Default": "5", "MaxLength": "2"}}}, ["H137"]),
    ({"Parameters": {"P": {"Type": "Number", "Default": "5", "MinValue": "a"}}}, ["H138"]),
    ({"Resources": {"R": {"Properties": {}}}}, ["H107"]),
    ({"Resources": {"R": {"Type": "OS::Heat::None", "DeletionPolicy": "Keep"}}}, ["H110"]),
    ({"Resources": {"R": {"Type": "OS::Nova::Server", "Properties": {"image": "a", "flavr": "b"}}}}, ["V101"]),
])  # fmt: skip
def test_what_is_wrong(body: dict[str, Any], codes: list[str]) -> None:
    assert explored(body)[1] == codes


def test_there_is_one_version() -> None:
    assert explored(BODY, "2010-09-09")[1] == ["H101"]
