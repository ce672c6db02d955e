"""``--remote`` over a real ssh to a real sshd on loopback, from jobs that have an empty home folder each."""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback_ssh import Remote, can_serve
from stackengine.cli import remote_frames as wire
from stackengine.cli import remoting
from stackengine.cli.parser import build
from stackengine.service.ssh import command_line

TEMPLATE = """heat_template_version: 2018-08-31
parameters:
  commit: {type: string, default: none}
resources:
  thing: {type: 'SE::None', properties: {value: {get_file: greeting.txt}}}
outputs:
  commit: {value: {get_param: commit}}
  greeting: {value: {get_attr: [thing, value]}}
"""


pytestmark = [pytest.mark.real, pytest.mark.skipif(bool(can_serve()), reason=can_serve())]


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    folder = tmp_path_factory.mktemp("remote")
    made = Remote(folder, folder / "state", STACKENGINE_HOST="memory://")
    yield made
    made.close()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    (folder / "deploy").mkdir(parents=True)
    (folder / "deploy" / "stack.yaml").write_text(TEMPLATE)
    (folder / "deploy" / "greeting.txt").write_text("hello")
    return folder


def start(remote: Remote, checkout: Path, *arguments: str, key: str | None = "job", known: str | None = None) -> subprocess.Popen[str]:
    """A job: nothing of this user's, a home folder that is empty."""
    environ = remote.job(checkout.parent, key, known)
    command = [sys.executable, "-m", "stackengine.cli.main", *arguments]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=checkout, env=environ)


def ended(job: subprocess.Popen[str], code: int = 0) -> tuple[str, str]:
    out, err = job.communicate(timeout=120)
    assert job.returncode == code, out + err
    return out, err


ORIGIN = ("--repo", "git.example/shop")


def test_template_and_parameters_go_there_and_events_outputs_and_code_come_back(remote: Remote, checkout: Path) -> None:
    up = ("env", "up", "deploy/stack.yaml", *ORIGIN)
    jobs = [start(remote, checkout, *up, "--branch", f"b{n}", "--commit", f"c{n}", "--param", f"commit=c{n}") for n in range(3)]
    for job in jobs:
        assert "create complete" in ended(job)[1]
    found = json.loads(ended(start(remote, checkout, "env", "ls", "--json"))[0])
    assert {e["branch"]: (e["commit"], e["outputs"]["greeting"]["value"]) for e in found} == {f"b{n}": (f"c{n}", "hello") for n in range(3)}
    assert "STACK_OUTPUT_COMMIT=c1" in ended(start(remote, checkout, "env", "outputs", "b1", "--format", "dotenv"))[0]
    assert (remote.state / "stackengine.db").is_file()


def test_a_run_there_gives_its_code_and_brings_what_it_left(remote: Remote, checkout: Path) -> None:
    words = ["env", "run", "deploy/stack.yaml", *ORIGIN, "--branch", "r", "--commit", "1", "--artifacts", "kept"]
    words += ["--", "sh", "-c", "echo got $STACK_OUTPUT_GREETING; exit 7"]
    assert "got hello" in ended(start(remote, checkout, *words), 7)[0]
    assert "action.ready" in (checkout / "kept" / "events.jsonl").read_text()


def test_a_run_is_never_the_environment_of_its_branch(remote: Remote, checkout: Path) -> None:
    for words in (("init", "-q", "-b", "trunk"), ("add", "-A"), ("-c", "user.name=t", "-c", "user.email=t@example", "commit", "-qm", "first")):
        subprocess.run(["git", "-C", str(checkout), *words], check=True)
    ended(start(remote, checkout, "env", "up", "deploy/stack.yaml", "--param", "commit=up"))
    said, _ = ended(start(remote, checkout, "env", "run", "deploy/stack.yaml", "--param", "commit=run", "--", "sh", "-c", "echo $STACK_OUTPUT_COMMIT"))
    assert said.split()[-1] == "run"
    assert ended(start(remote, checkout, "env", "outputs", "commit"))[0].strip() == "up"


def test_a_wrong_template_is_told_with_its_place(remote: Remote, checkout: Path) -> None:
    (checkout / "deploy" / "stack.yaml").write_text(TEMPLATE.replace("SE::None", "SE::Nonne"))
    _, err = ended(start(remote, checkout, "up", "deploy/stack.yaml", "--yes"), 3)
    assert "deploy/stack.yaml:5" in err


@pytest.mark.parametrize(
    ("arguments", "more", "said"),
    [
        (("env", "ls"), {"known": "[127.0.0.1]:1 ssh-ed25519 AAAA"}, "ssh-keyscan"),
        (("env", "ls"), {"key": "stranger"}, "asks for a password"),
        (("env", "ls", "--types", "."), {}, "for this machine"),
        (("env", "ls", "--host", "qemu+ext:///system?command=x"), {}, "may not be told"),
        (("env", "ls", "--remote", "ssh://-oProxyCommand=x"), {}, "is no remote"),
    ],
)
def test_what_cannot_be_is_told(remote: Remote, checkout: Path, arguments: tuple[str, ...], more: dict[str, str], said: str) -> None:
    job = start(remote, checkout, *arguments, **more)
    _, err = job.communicate(timeout=60)
    assert job.returncode in (1, 2)
    assert said in err


def test_a_job_that_is_killed_ends_what_it_began(remote: Remote, checkout: Path) -> None:
    begun = checkout / "begun"
    job = start(remote, checkout, "env", "run", "deploy/stack.yaml", *ORIGIN, "--branch", "k", "--commit", "1", "--", "sh", "-c", f"touch {begun}; sleep 60")
    end = time.monotonic() + 60
    while not begun.exists():
        assert time.monotonic() < end
        time.sleep(0.1)
    job.kill()
    job.communicate(timeout=30)
    while any(e["branch"] == "k" for e in json.loads(ended(start(remote, checkout, "env", "ls", "--json"))[0])):
        assert time.monotonic() < end
        time.sleep(0.3)


@pytest.fixture(scope="module")
def restricted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    folder = tmp_path_factory.mktemp("restricted")
    made = Remote(folder, folder / "state", command="remote --restricted", STACKENGINE_HOST="memory://")
    yield made
    made.close()


def test_a_restricted_key_makes_changes_and_deletes_environments(restricted: Remote, checkout: Path) -> None:
    (checkout / "values.yaml").write_text("commit: from-a-file\n")
    (checkout / "stackengine.yaml").write_text("template: deploy/stack.yaml\n")
    said = ("--branch", "b", "--commit", "c")
    assert "create complete" in ended(start(restricted, checkout, "env", "up", *ORIGIN, *said, "--param-file", "values.yaml"))[1]
    assert ended(start(restricted, checkout, "env", "outputs", "b", "commit"))[0].strip() == "from-a-file"
    assert "gone" in ended(start(restricted, checkout, "env", "down", "b", *ORIGIN))[1]


def test_a_restricted_key_runs_nothing_there(restricted: Remote, checkout: Path) -> None:
    begun = checkout / "begun"
    words = ("env", "run", "deploy/stack.yaml", *ORIGIN, "--branch", "r", "--commit", "1", "--", "touch", str(begun))
    assert "this key may run no commands there: env run" in ended(start(restricted, checkout, *words), 125)[1]
    assert "env serve" in ended(start(restricted, checkout, "env", "serve"), 1)[1]
    assert not begun.exists()
    assert json.loads(ended(start(restricted, checkout, "env", "ls", "--json"))[0]) == []


def asked(remote: Remote, *argv: str, cwd: str = ".") -> str:
    """What a remote says to a caller that keeps to no rules: words as they are, and no files."""
    command = ["ssh", "-T", "-i", str(remote.folder / "job"), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    request = io.BytesIO()
    wire.send_header(request, wire.Header(list(argv), cwd, {}, "", 0))
    done = subprocess.run([*command, "-p", str(remote.port), remote.url.removeprefix("ssh://").rpartition(":")[0], "x"], input=request.getvalue(),
                          capture_output=True, check=False, timeout=120)  # fmt: skip
    return done.stdout.decode(errors="replace")


@pytest.mark.parametrize("flag", ["--param-file", "--environment", "--project", "--override-policy"])
def test_a_restricted_key_reads_no_file_there(restricted: Remote, flag: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("not: [for you\n")
    for path in (str(secret), "../" * 12 + str(secret)):
        said = asked(restricted, "plan", "stack.yaml", flag, path)
        assert f"this key may name no file there: {path}" in said
        assert "for you" not in said


def test_nor_a_template_or_a_place_to_write_to(restricted: Remote, tmp_path: Path) -> None:
    (tmp_path / "stack.yaml").write_text(TEMPLATE)
    (tmp_path / "greeting.txt").write_text("from this machine")
    for words in (("up", str(tmp_path / "stack.yaml"), "--yes"), ("plan", "stack.yaml", "--out", str(tmp_path / "plan"))):
        assert "this key may name no file there" in asked(restricted, *words)
    assert "this is no folder of the bundle" in asked(restricted, "ls", cwd=str(tmp_path / "made"))
    assert not (tmp_path / "made").exists()
    assert not (tmp_path / "plan").exists()


def test_every_argument_that_names_a_file_is_known() -> None:
    """Of the commands that a remote serves, so that a new option does not get past a restricted key."""
    root = build(remoting.COMMANDS)
    parsers = [p for a in root._actions if isinstance(a, argparse._SubParsersAction) for n, p in a.choices.items() if n in remoting.COMMANDS]
    found = set()
    while parsers:
        for action in parsers.pop()._actions:
            if isinstance(action, argparse._SubParsersAction):
                parsers += action.choices.values()
            elif any(w in str(action.metavar) for w in ("FILE", "DIR", "TEMPLATE", "PATH|URL")):
                found.add(action.dest)
    assert found == {*remoting.FILES, *remoting.HERE_ONLY}


def test_a_command_is_said_to_a_guest_as_it_is_and_is_no_option_of_ssh(tmp_path: Path) -> None:
    there = Remote(tmp_path, tmp_path / "state")
    try:
        (tmp_path / "authorized_keys").write_text(f'command="echo got: $SSH_ORIGINAL_COMMAND",restrict {(tmp_path / "job.pub").read_text()}')
        options = ["ssh", "-F", "/dev/null", "-p", str(there.port), "-i", str(tmp_path / "job"), "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"]
        options += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]

        def said(*command: str) -> str:
            done = subprocess.run(command_line(options, "127.0.0.1", command), capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, timeout=60)
            return done.stdout.strip()

        assert said("uptime", "-p") == "got: uptime -p"
        made = tmp_path / "made"
        assert said("-oPermitLocalCommand=yes", f"-oLocalCommand=touch {made}", "x").startswith("got: -oPermitLocalCommand")
        assert not made.exists()
    finally:
        there.close()
