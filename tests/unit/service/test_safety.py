"""Nothing that holds data goes without a word; what is protected stays, whatever the template says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.service import guard, prepare
from stackengine.service.types import ServiceError
from unit.service.house import House, plan_of, run

pytestmark = pytest.mark.thorough

DB = "db: {type: SE::Volume, properties: {size: 1}}\n"
WEB = "web: {type: SE::Server, properties: {image: tiny, memory: 128, user_data: '%s'}}\n"
LIFE = "db:\n  type: SE::Volume\n  properties: {size: %d, format: %s}\n  metadata: {stackengine: {%s}}\n"
NONE = "nothing: {type: OS::Heat::None}\n"


def codes(caught: pytest.ExceptionInfo[InvalidTemplateError]) -> set[str]:
    return {d.code for d in caught.value.diagnostics.errors}


def test_yes_alone_replaces_no_server_and_deletes_no_volume(house: House) -> None:
    house.up(DB + WEB % "one")
    before = house.instances()
    with pytest.raises(ServiceError, match=r"X205: this would replace web .*user_data") as caught:
        house.up(DB + WEB % "two", allow=())
    assert "--allow replace" in caught.value.hint
    with pytest.raises(ServiceError, match="delete db"):
        house.up(WEB % "one", allow=("replace", "web"))
    assert house.instances() == before
    assert house.up(WEB % "two", allow=("replace", "db")).status == "complete"
    assert house.instances()["web"].generation == 2
    assert "db" not in house.instances()


def test_down_says_what_holds_data_and_needs_no_further_word(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(DB + NONE)
    found = run(house, capsys, "down", "shop", "--yes")
    assert [a["path"] for a in found[0]["actions"] if a["holds_data"]] == ["db"]
    assert house.volumes() == set()


@pytest.mark.parametrize("spelling", ["hot", "cfn", "tosca"])
def test_life_is_said_the_same_way_in_all_languages(house: House, spelling: str) -> None:
    metadata = "{stackengine: {protect: true, replace: never, ignore_changes: [size], deletion: Retain, update_replace: Snapshot, timeout: 2m}}"
    text = {
        "hot": f"heat_template_version: 2018-08-31\nresources:\n  db: {{type: OS::Cinder::Volume, properties: {{size: 1}}, metadata: {metadata}}}\n",
        "cfn": f"AWSTemplateFormatVersion: 2010-09-09\nResources:\n  db: {{Type: AWS::EC2::Volume, Properties: {{Size: 1}}, Metadata: {metadata}}}\n",
        "tosca": "tosca_definitions_version: tosca_simple_yaml_1_3\ntopology_template:\n  node_templates:\n"
        f"    db: {{type: tosca.nodes.Storage.BlockStorage, properties: {{size: 1 GiB}}, metadata: {metadata}}}\n",
    }[spelling]
    policies = house.plan(text).desired.resources["db"].policies
    assert (policies.protect, policies.replace, policies.ignore_changes) == (True, "never", ("size",))
    assert (policies.deletion, policies.update_replace, policies.timeout) == ("Retain", "Snapshot", 120.0)


def test_foreign_names_of_ignored_properties_become_native(house: House) -> None:
    text = "AWSTemplateFormatVersion: 2010-09-09\nResources:\n  db: {Type: AWS::EC2::Volume, Properties: {Size: %d},\n"
    text += "       Metadata: {stackengine: {ignore_changes: [%s]}}}\n"
    house.up(text % (1, "Size"))
    assert house.plan(text % (5, "Size")).plan.empty
    with pytest.raises(InvalidTemplateError) as caught:
        house.plan(text % (5, "Sise"))
    assert codes(caught) == {"V108"}


@pytest.mark.parametrize(("words", "code"), [("protect: maybe", "T122"), ("protekt: true", "T121"), ("timeout: soon", "T122"), ("deletion: Burn", "T122")])
def test_wrong_words_of_life_have_a_place(house: House, words: str, code: str) -> None:
    with pytest.raises(InvalidTemplateError) as caught:
        house.plan(LIFE % (1, "qcow2", words))
    assert codes(caught) == {code}
    assert all(d.mark.line == 6 for d in caught.value.diagnostics.errors)


def test_a_protection_outlives_its_block_in_the_template(house: House) -> None:
    house.up(LIFE % (1, "qcow2", "protect: true") + NONE)
    house.up(DB + NONE)
    assert house.instances()["db"].protected
    with pytest.raises(InvalidTemplateError) as caught:
        house.plan(NONE)
    assert codes(caught) == {"X202"}
    with pytest.raises(InvalidTemplateError):
        house.plan(LIFE % (1, "raw", "") + NONE)
    house.up(LIFE % (1, "qcow2", "protect: false") + NONE)
    assert house.up(NONE).status == "complete"


def test_protect_and_unprotect_are_recorded_with_the_object_and_the_stack(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(DB + NONE)
    run(house, capsys, "protect", "shop", "db")[0]
    run(house, capsys, "protect", "shop")
    run(house, capsys, "down", "shop", "--yes", code=1)
    run(house, capsys, "unprotect", "shop")
    run(house, capsys, "down", "shop", "--yes", code=1)
    assert house.volumes()
    run(house, capsys, "protect", "shop", "nobody", code=2)
    run(house, capsys, "unprotect", "shop", "db")
    run(house, capsys, "down", "shop", "--yes")


def test_what_a_failed_operation_made_is_taken_back_though_it_is_protected(house: House) -> None:
    house.up(NONE)
    house.faults(fail={"domain_start": 1})
    failed = LIFE % (1, "qcow2", "protect: true, deletion: RetainExceptOnCreate") + WEB % "one" + "  depends_on: db\n" + NONE
    failed = failed.replace("}}\n  depends_on", "}, depends_on: db}\n#")
    assert house.up(failed).status == "rolled_back"
    assert set(house.instances()) == {"nothing"}
    assert house.volumes() == set()


def test_what_an_earlier_cleanup_left_keeps_its_policy_in_the_rollback_of_the_next_update(house: House) -> None:
    house.up(LIFE % (1, "qcow2", "deletion: Snapshot") + NONE)
    name = house.instances()["db"].identity["volume_name"]
    house.faults(fail={"volume_upload": 1})
    assert house.up(NONE).status == "failed"
    house.faults(fail={"domain_start": 1})
    assert house.up(NONE + WEB % "one").status == "rolled_back"
    assert house.volumes() == {name.replace(".qcow2", "-kept.qcow2")}
    record = json.loads(house.host.volume_download("default", name.replace(".qcow2", "-kept.qcow2.json"), 4096))
    assert record["of"]["path"] == "db"


def test_on_failure_delete_takes_what_the_operation_made_though_it_is_protected(house: House) -> None:
    house.up(NONE)
    house.faults(fail={"domain_start": 1})
    failed = LIFE % (1, "qcow2", "protect: true") + (WEB % "one").replace("}}", "}, depends_on: db}") + NONE
    assert house.up(failed, on_failure="delete").status == "rolled_back"
    assert house.volumes() == set()


def test_replace_never_and_retained_objects(house: House) -> None:
    house.up(LIFE % (1, "qcow2", "replace: never, deletion: Retain") + NONE)
    with pytest.raises(InvalidTemplateError) as caught:
        house.plan(LIFE % (1, "raw", "replace: never") + NONE)
    assert codes(caught) == {"L102"}
    assert plan_of(house.plan(NONE)) == ["retain:db@1"]
    house.up(NONE)
    assert len(house.volumes()) == 1


def test_the_policy_snapshot_leaves_a_copy_that_says_whose_it_was(house: House) -> None:
    house.up(LIFE % (1, "qcow2", "deletion: Snapshot, update_replace: Snapshot") + NONE)
    name = house.instances()["db"].identity["volume_name"]
    plan = house.plan(NONE)
    assert plan_of(plan) == ["snapshot:db@1", "delete:db@1"]
    assert house.up(NONE, allow=()).status == "complete"
    assert house.volumes() == {name.replace(".qcow2", "-kept.qcow2")}
    record = json.loads(house.host.volume_download("default", name.replace(".qcow2", "-kept.qcow2.json"), 4096))
    assert record["of"]["path"] == "db"


def test_a_crash_while_the_copy_is_made_loses_nothing(house: House) -> None:
    house.up(LIFE % (1, "qcow2", "deletion: Snapshot") + NONE)
    house.faults(fail={"volume_upload": 1})
    assert house.up(NONE, on_failure="keep").status == "failed"
    assert house.instances()["db"].sure
    house.faults()
    assert house.up(NONE).status == "complete"
    assert len(house.volumes()) == 1


POLICY = {"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
                        {"Effect": "Deny", "Action": ["Update:Delete"], "Principal": "*", "Resource": "LogicalResourceId/db"}]}  # fmt: skip


def test_a_stack_policy_denies_until_it_is_overridden_once(house: House, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    house.up(DB + NONE)
    file, template = tmp_path / "policy.json", house.write(NONE)
    file.write_text(json.dumps(POLICY))
    run(house, capsys, "policy", "shop", "--set", str(file))[0]
    with pytest.raises(InvalidTemplateError) as caught:
        house.plan(NONE)
    assert codes(caught) == {"X203"}
    assert plan_of(house.plan(LIFE % (2, "qcow2", "") + NONE)) == ["copy:db@1:1", "update:db@1", "discard:db@1"]
    file.write_text(json.dumps({"Statement": [{"Effect": "Allow", "Action": "Update:*", "Resource": "*"}]}))
    run(house, capsys, "up", str(template), "--name", "shop", "--yes", "--allow", "db", "--override-policy", str(file))
    assert run(house, capsys, "policy", "shop")[0]["policy"] == POLICY
    run(house, capsys, "policy", "shop", "--clear")
    assert prepare.find_stack(house.session, "shop").policy is None


def test_a_wrong_stack_policy_says_all_that_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("Statement:\n- {Effect: Perhaps}\n- {Effect: Deny, Action: Update:Burn, Resource: '*'}\n- {Effect: Allow, Action: Update:*}\n")
    with pytest.raises(ServiceError, match=r"statement 1.*statement 2.*statement 3"):
        guard.read_policy(file)
