"""cfn-init: what a template's metadata says is done in the order of the sections, and what cannot be is said before."""

from __future__ import annotations

import importlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stackengine import registry, service
from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.service import operations, prepare, stacks
from stackengine.service.types import Request, Settings

TYPES = registry.load(entry_points=False)
HANDLER = TYPES.types["SE::Server"].handler
cfn_init: Any = importlib.import_module("stackengine_types.server.cfn_init")


def run(folder: Path, init: dict[str, Any], *arguments: str) -> tuple[int, str]:
    """(exit code, log) of cfn-init."""
    log = folder / "log"
    script = cfn_init.script_of(init).replace("/var/log/cfn-init.log", str(log))
    done = subprocess.run(["sh", "-c", script, "cfn-init", *arguments], check=False, capture_output=True, text=True, timeout=20)
    return done.returncode, log.read_text() + done.stderr


def test_files_commands_and_their_order(tmp_path: Path) -> None:
    files = {
        f"{tmp_path}/deep/page": {"content": "it's {{what}}\n", "context": {"what": "a page"}, "mode": "000640"},
        f"{tmp_path}/map": {"content": {"a": [1]}},
        f"{tmp_path}/coded": {"content": "aGVsbG8=", "encoding": "base64"},
        f"{tmp_path}/link": {"content": f"{tmp_path}/map", "mode": "120644"},
    }
    commands = {
        "20-second": {"command": "echo $WORD >>order", "cwd": str(tmp_path), "env": {"WORD": "two words"}},
        "10-first": {"command": ["sh", "-c", f"test -s {tmp_path}/map && echo one >>{tmp_path}/order"]},
        "30-skipped": {"command": f"echo three >>{tmp_path}/order", "test": "false"},
        "40-forgiven": {"command": "false", "ignoreErrors": "true"},
    }
    code, log = run(tmp_path, {"config": {"commands": commands, "files": files}}, "-v", "--stack", "s", "--resource", "web")
    assert code == 0, log
    assert (tmp_path / "deep" / "page").read_text() == "it's a page\n"
    assert (tmp_path / "deep" / "page").stat().st_mode & 0o777 == 0o640
    assert json.loads((tmp_path / "map").read_text()) == {"a": [1]}
    assert (tmp_path / "coded").read_text() == "hello"
    assert (tmp_path / "link").readlink() == tmp_path / "map"
    assert (tmp_path / "order").read_text() == "one\ntwo words\n"
    assert "ignored: 40-forgiven" in log


@pytest.mark.parametrize(("arguments", "made"), [((), "ab"), (("-c", "two"), "cab"), (("--configsets=one,three",), "abc")])
def test_config_sets_in_their_order_and_in_each_other(tmp_path: Path, arguments: tuple[str, ...], made: str) -> None:
    say = {n: {"commands": {"x": {"command": f"printf {n} >>{tmp_path}/made"}}} for n in "abc"}
    sets = {"default": [{"ConfigSet": "one"}], "one": ["a", "b"], "two": ["c", {"ConfigSet": "one"}], "three": "c"}
    code, log = run(tmp_path, {"configSets": sets, **say}, *arguments)
    assert (code, (tmp_path / "made").read_text()) == (0, made), log


def test_what_fails_ends_it_with_its_name(tmp_path: Path) -> None:
    commands = {"a": {"command": "exit 3"}, "b": {"command": f"touch {tmp_path}/never"}}
    code, log = run(tmp_path, {"config": {"commands": commands}})
    assert code == 1
    assert "failed: command a" in log
    assert not (tmp_path / "never").exists()
    assert run(tmp_path, {"config": {}}, "-c", "other")[0] == 1


def test_packages_users_and_services_are_the_systems_own_words() -> None:
    users = {"app": {"uid": 900, "groups": ["www"], "homeDir": "/srv"}}
    packages = {"yum": {"httpd": [], "php": ["8.1"]}, "apt": {"nginx": "1.2"}, "rpm": {"epel": "https://example/epel.rpm"}}
    services = {"sysvinit": {"httpd": {"enabled": "true", "ensureRunning": True}}}
    script = cfn_init.script_of({"config": {"packages": packages, "users": users, "services": services}})
    for line in (
        "-y install httpd php-8.1", "apt-get -y install nginx=1.2", "rpm -U --replacepkgs https://example/epel.rpm",
        "useradd -s /sbin/nologin -u 900 -d /srv -G www app", "service_is httpd true true",
    ):  # fmt: skip
        assert line in script
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
    assert subprocess.run(["sh", "-n"], input=cfn_init.vendor_script({"config": {}}), text=True, check=False).returncode == 0


def test_what_cfn_init_would_stumble_over_is_said() -> None:
    init = {"configSets": {"default": ["nothing"]}, "config": {"packages": {"msi": {}}, "scripts": {}}}
    assert [r.prop for r in HANDLER.check({"image": "tiny", "init": init})] == ["init", "init", "init"]


TEMPLATE = {
    "Resources": {
        "Web": {
            "Type": "AWS::EC2::Instance",
            "Metadata": {"AWS::CloudFormation::Init": {"config": {"files": {"/srv/region": {"content": {"Ref": "AWS::Region"}}}}}},
            "Properties": {"ImageId": "tiny", "InstanceType": "t3.nano", "UserData": {"Fn::Base64": "#!/bin/sh\ncfn-init\n"}},
        }
    }
}


def test_it_is_taken_from_the_resources_metadata_with_its_functions(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text(json.dumps(TEMPLATE))
    with service.open(Settings(state=str(tmp_path / "state"), host="memory://")) as session:
        preview = stacks.preview(session, Request("s", tmp_path / "stack.json", parameters={"AWS::Region": "here-1"}))
        init = preview.desired.resources["Web"].properties["init"]
        assert init == {"config": {"files": {"/srv/region": {"content": "here-1"}}}}
    broken = json.loads(json.dumps(TEMPLATE).replace('"files"', '"fiels"'))
    (tmp_path / "stack.json").write_text(json.dumps(broken))
    with service.open(Settings(state=str(tmp_path / "state"), host="memory://")) as session, pytest.raises(InvalidTemplateError, match="fiels"):
        stacks.preview(session, Request("s", tmp_path / "stack.json"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-e", "0", "--stack", "s", "--resource", "Web", "--region", "local"), "http://own SUCCESS  exit code 0"),
        (("-e", "3", "-r", "it broke", "--resource=Group"), "http://own FAILURE  it broke"),
        (("--success", "false"), "http://own FAILURE  exit code 1"),
        (("--resource", "Web", "http://handle"), "http://handle SUCCESS  exit code 0"),
        (("--resource", "Other"), ""),
    ],
)
def test_cfn_signal_speaks_for_its_own_server_or_to_a_handle(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "stack-signal").write_text(f'#!/bin/sh\necho "$1 $2 $3 $4" >{tmp_path}/said\n')
    (tmp_path / "stack-signal").chmod(0o755)
    script = cfn_init.vendor_script({}, "Group/Web", "http://own").split("SE_PROGRAM")[3].removeprefix("'")
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", script, "cfn-signal", *arguments], env=path, check=False, capture_output=True, timeout=20)
    assert done.returncode == 0
    assert (tmp_path / "said").exists() == bool(said)
    assert (tmp_path / "said").read_text().strip() == said if said else b"nobody waits for a signal of Other" in done.stderr


def test_an_instance_with_a_creation_policy_is_ready_when_it_says_so_itself(tmp_path: Path) -> None:
    group = {"MinSize": "2", "MaxSize": "2", "LaunchConfigurationName": {"Ref": "Launch"}}
    waiting = {"CreationPolicy": {"ResourceSignal": {"Count": 2, "Timeout": "PT15M"}}}
    launch = {"Type": "AWS::AutoScaling::LaunchConfiguration", "Properties": {"ImageId": "tiny", "InstanceType": "t3.nano"}}
    instance = {"Type": "AWS::EC2::Instance", "Properties": {"ImageId": "tiny", "InstanceType": "t3.nano"}}
    resources = {"Launch": launch, "Group": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": group, **waiting}}
    waiting_for_one = {"CreationPolicy": {"ResourceSignal": {"Timeout": "PT15M"}}}
    (tmp_path / "stack.json").write_text(json.dumps({"Resources": {**resources, "Web": {**instance, **waiting_for_one}, "Plain": instance}}))
    with service.open(Settings(state=str(tmp_path / "state"), host="memory://")) as session:
        preview = stacks.preview(session, Request("s", tmp_path / "stack.json"))
        assert not [d for d in preview.diagnostics.items if d.code == "C171"]
        gates = {a.path: a.gate for a in preview.plan.actions.values() if a.instance.type == "SE::Server"}
        assert gates["Plain"] is None
        assert {(g.count, g.timeout) for p, g in gates.items() if g is not None} == {(1, 900.0)}
        assert operations.carry_out(session, preview).status == "complete"
        signals = session.store.recorded(prepare.find_stack(session, "s").id).signals
    assert len([s for found in signals.values() for s in found]) == 3
