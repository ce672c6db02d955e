"""What is not there, or is something else than what the command needs, is said in its own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackengine.cli.main import main

pytestmark = pytest.mark.thorough

GOOD = "heat_template_version: 2018-08-31\nresources: {n: {type: SE::None}}\n"
BAD = "heat_template_version: 2018-08-31\nresources: {n: {type: SE::Nome}}\n"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STACKENGINE_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_all_files_are_validated_also_those_beside_one_that_is_missing(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "good.yaml").write_text(GOOD)
    (state / "bad.yaml").write_text(BAD)
    (state / "folder").mkdir()
    assert main(["validate", "good.yaml", "none.yaml", "folder", "bad.yaml"]) == 3
    said = capsys.readouterr().out
    assert "error[T116]: no such file" in said
    assert "error[T116]: this is a folder" in said
    assert "error[R101]" in said


@pytest.mark.parametrize(("word", "what"), [("none.yaml", "no such file"), ("folder", "is a folder"), ("some/where", "no such file")])
def test_a_graph_of_no_file(word: str, what: str, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "folder").mkdir()
    assert main(["graph", word]) == 2
    assert what in capsys.readouterr().err


@pytest.mark.parametrize(("url", "hint"), [("foo://x", "postgresql://"), ("postgresql://h/n", "stackengine[postgres]"), ("mysql://h/n", "stackengine[mysql]")])
def test_a_database_that_cannot_be_used(url: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--state", url, "ls"]) == 1
    said = capsys.readouterr().err
    if "needs the Python package" in said or url.startswith("foo"):
        assert hint in said
    assert "internal error" not in said


def test_a_file_where_a_new_folder_would_be(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "taken").write_text("")
    assert main(["new", "hello", "taken"]) == 2
    assert "taken is a file" in capsys.readouterr().err


def test_an_output_of_what_was_let_go_is_not_known(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "s.yaml").write_text(GOOD.replace("n: {type: SE::None}", "n: {type: SE::RandomString}") + "outputs: {o: {value: {get_attr: [n, value]}}}\n")
    assert main(["up", "s.yaml", "--name", "s", "--host", "memory://gone", "--yes"]) == 0
    assert main(["outputs", "s", "o", "--show-secrets"]) == 0
    assert main(["forget", "s", "n", "--yes"]) == 0
    capsys.readouterr()
    assert main(["outputs", "s", "o", "--show-secrets"]) == 1
    assert "is not known: n.value" in capsys.readouterr().err


def test_what_a_hidden_parameter_holds_is_in_no_recorded_file(state: Path) -> None:
    (state / "s.yaml").write_text(GOOD.replace("resources:", "parameters: {pw: {type: string, hidden: true, default: defaultword}}\nresources:"))
    (state / "e.yaml").write_text("parameters: {pw: environmentword}\n")
    assert main(["up", "s.yaml", "--name", "a", "--host", "memory://sealed", "--yes"]) == 0
    assert main(["up", "s.yaml", "--name", "b", "-e", "e.yaml", "--host", "memory://sealed", "--yes"]) == 0
    held = b"".join(f.read_bytes() for f in (state / "state").rglob("*") if f.is_file())
    assert b"environmentword" not in held
    assert b"***" in held


def test_an_image_whose_name_means_nothing_is_said_in_the_plan(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "s.yaml").write_text("heat_template_version: 2018-08-31\nresources:\n  w: {type: SE::Server, properties: {image: tinny, memory: 64}}\n")
    assert main(["validate", "s.yaml"]) == 0, "another machine may know it"
    assert main(["plan", "s.yaml", "--host", "memory://images"]) == 3
    said = capsys.readouterr().err
    assert "error[K112]" in said
    assert "did you mean tiny?" in said


MISSING = [
    "show nope", "down nope --yes", "drift nope", "outputs nope", "rollback nope --yes", "resume nope", "events nope", "wait nope", "cancel nope",
    "repair nope", "protect nope", "policy nope", "mv nope a b", "forget nope a --yes", "stop nope --yes", "reboot nope --yes", "logs nope web",
    "ssh nope web", "key nope", "show s nope", "outputs s nope", "rollback s --to 9 --yes", "protect s nope", "mv s nope b", "stop s nope --yes",
    "logs s nope", "changeset show nope", "hosts stop nope", "hosts rm nope --yes", "hosts show nope", "hosts cordon nope", "new nope", "types nope",
    "webhook rm nope", "env show nope", "images nope", "upp",
]  # fmt: skip


@pytest.mark.parametrize("words", MISSING)
def test_what_is_named_and_not_there_is_wrong_use_whoever_is_asked(words: str, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "s.yaml").write_text(GOOD)
    if " s " in f"{words} ":
        assert main(["up", "s.yaml", "--name", "s", "--host", "memory://gone", "--yes"]) == 0
    capsys.readouterr()
    assert main(words.split()) == 2, capsys.readouterr().err
    assert "internal error" not in capsys.readouterr().err


def test_the_nearest_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    for words, near in ((["upp"], "did you mean 'up'?"), (["hosts", "doctr"], "did you mean 'doctor'?"), (["zzzzz"], "stack-run --help lists them")):
        assert main(words) == 2
        assert near in capsys.readouterr().err


def test_what_to_do_next_leads_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hosts", "doctor", "foo bar"]) == 1
    assert "hosts doctor" not in (said := capsys.readouterr().out)
    assert "qemu:///system" in said
    assert main(["hosts", "start", "memory://x"]) == 2
    assert "needs no start" in capsys.readouterr().err


def test_the_stack_of_the_project_is_meant_where_none_is_named(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "s.yaml").write_text(GOOD + "outputs: {o: {value: 7}}\n")
    (state / "stackengine.yaml").write_text("template: s.yaml\nname: mine\nhost: 'memory://p'\n")
    assert main(["up", "--yes"]) == 0
    assert main(["up", "s.yaml", "--name", "other", "--host", "memory://elsewhere", "--yes"]) == 0
    capsys.readouterr()
    assert main(["drift"]) == 0
    assert main(["outputs"]) == 0
    assert "7" in capsys.readouterr().out
    for words in (["events"], ["snapshots"], ["wait"], ["repair", "--yes"], ["rollback", "--to", "1", "--yes"]):
        assert main(words) == 0, words
    assert "operation.finished" in capsys.readouterr().out
    assert main(["down", "other", "--yes"]) == 0, "another stack is where it is, whatever the project says"
    assert main(["down", "--yes", "--host", "memory://elsewhere"]) == 2, "and is not looked for elsewhere"
    assert main(["down", "--yes"]) == 0
    assert main(["show", "mine"]) == 2


def test_the_name_is_made_as_up_makes_it(state: Path) -> None:
    (state / "web.yaml").write_text(GOOD)
    (state / "stackengine.yaml").write_text("template: web.yaml\n")
    assert main(["up", "--yes", "--host", "memory://p"]) == 0
    assert main(["down", "--yes"]) == 0
    assert main(["show", "web"]) == 2
