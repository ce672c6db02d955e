from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stackengine.cli import completion, logging_setup, naming, options, parameters
from stackengine.cli.commands import COMMANDS
from stackengine.cli.errors import UsageError
from stackengine.cli.main import main
from stackengine.cli.parser import build, parse
from stackengine.cli.reference import page

ROOT = Path(__file__).parents[3]
HEAVY = ("networkx", "sqlalchemy", "alembic", "jsonschema", "libvirt", "rich", "yaml", "jinja2", "cryptography", "tenacity", "shtab", "logging", "dataclasses")


def test_help_imports_nothing_heavy() -> None:
    code = f"import sys\nfrom stackengine.cli.main import main\nmain(['--help'])\nprint([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr.strip() == "[]"
    assert all(f"    {name}" in done.stdout for name in COMMANDS)


def test_the_help_of_every_command_imports_nothing_heavy() -> None:
    code = f"import sys\nfrom stackengine.cli.main import main\nfor command in {tuple(COMMANDS)!r}:\n    code = main([command, '--help'])\n"
    code += f"    print(command, code, [m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr.splitlines() == [f"{command} 0 []" for command in COMMANDS]
    assert all(f"usage: stack-run {command} [options]" in done.stdout for command in COMMANDS)


def test_help_costs_little_more_than_python_itself() -> None:
    def cost(code: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    pairs = [(cost("from stackengine.cli.main import main; main(['--help'])"), cost("pass")) for _ in range(4)]
    assert min(helping for helping, _ in pairs) <= 6 * min(bare for _, bare in pairs)  # seconds are the bench's


@pytest.mark.parametrize(
    ("line", "members"),
    [
        ("up t.yaml", {"template": "t.yaml", "yes": False, "on_failure": "rollback", "timeout": None, "format": "human", "verbose": None}),
        ("up t.yaml -y --on-failure keep --keep-going --timeout 30m", {"yes": True, "on_failure": "keep", "keep_going": True, "timeout": 1800.0}),
        ("--json --state s -vv ls", {"format": "json", "state": "s", "verbose": 2}),
        ("ls --json --state s -v", {"format": "json", "state": "s", "verbose": 1}),
        ("--json validate a b", {"format": "json", "files": ["a", "b"]}),
        ("validate a --format sarif", {"format": "sarif"}),
        ("graph s --format mermaid", {"format": "mermaid", "subject": "s"}),
        ("plan t --param a=1 -P b=2 -e x -e y --replace db", {"param": ["a=1", "b=2"], "environment": ["x", "y"], "replace": ["db"]}),
        ("ssh lamp web -- uptime -p --json", {"stack": "lamp", "server": "web", "rest": ["uptime", "-p", "--json"], "format": "human"}),
        ("ssh ls up", {"command": "ssh", "stack": "ls", "server": "up", "rest": []}),
        ("forward lamp web 8080:80", {"ports": (8080, 80)}),
        ("forward lamp web 80", {"ports": (80, 80)}),
        ("hosts start x --outbound", {"verb": "start", "name": "x", "outbound": True}),
        ("rollback lamp --to 0", {"to": 0}),
        ("--types a --types b types", {"types": ["a", "b"]}),
    ],
)
def test_command_lines_mean_what_they_say(line: str, members: dict[str, object]) -> None:
    args = vars(parse(line.split()))
    assert {k: args[k] for k in members} == members


@pytest.mark.parametrize(
    "line",
    [
        *("", "nonsense", "up", "hosts", "ls --jso", "up t -- x"),
        *("up t --on-failure no", "up t --timeout never", "up t --timeout -3", "forward a b x:y", "forward a b 99999:1"),
    ],
)
def test_wrong_use_ends_with_2(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 2
    assert capsys.readouterr().out == ""


def test_flags_win_over_variables() -> None:
    environ = {"STACKENGINE_STATE": "/s", "STACKENGINE_HOST": "memory://x"}
    assert options.settings(parse(["ls"]), environ).host == "memory://x"
    assert options.settings(parse(["ls", "--host", "memory://y"]), environ).host == "memory://y"
    assert options.settings(parse(["ls", "--state", ""]), environ).state == ""
    assert options.settings(parse(["ls"]), {}).state == ""
    with pytest.raises(UsageError, match="no such folder"):
        options.settings(parse(["ls", "--types", "/no/such/folder"]), environ)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("templates/three-tier/hot/stack.yaml", "three-tier"),
        ("three-tier/template.json", "three-tier"),
        ("lamp.yaml", "lamp"),
        ("lamp.hot.yaml", "lamp"),
        ("x/My stack (2).yaml", "My-stack-2"),
        ("x/42_go.yaml", "go"),
        ("shop.d/tosca/service.yaml", "shop-d"),
    ],
)
def test_a_stack_is_named_after_its_templates_place(path: str, name: str) -> None:
    assert naming.stack_name(Path(path)) == name


def test_a_given_name_is_checked() -> None:
    assert naming.stack_name(Path("t.yaml"), "feature_1.x") == "feature_1.x"
    with pytest.raises(UsageError, match="cannot be a stack's name"):
        naming.stack_name(Path("t.yaml"), "1 no")


def test_parameters_on_the_line_win_over_files(tmp_path: Path) -> None:
    yaml, cfn = tmp_path / "p.yaml", tmp_path / "p.json"
    yaml.write_text("a: 1\nb: [x, {y: true}]\nwhen: 2024-01-01\n")
    cfn.write_text('[{"ParameterKey": "c", "ParameterValue": "z"}, {"ParameterKey": "d", "UsePreviousValue": true}]')
    found = parameters.given([str(yaml), str(cfn)], ["a=2=3", "e="])
    assert found == {"a": "2=3", "b": ["x", {"y": True}], "when": "2024-01-01", "c": "z", "e": ""}


@pytest.mark.parametrize(("text", "said"), [("- 1\n", "not a mapping"), ("a: [", "while parsing"), ("\x00", "unacceptable character")])
def test_a_wrong_parameter_file_is_wrong_use(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "p").write_text(text)
    with pytest.raises(UsageError, match=said):
        parameters.given([str(tmp_path / "p")], [])


def test_a_missing_parameter_file_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        parameters.given([str(tmp_path / "q")], [])


def test_a_parameter_without_a_value_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="no value"):
        parameters.given([], ["a"])


def test_variables_give_parameters() -> None:
    assert parameters.from_environment({"STACKENGINE_PARAM_db_size": "3", "STACKENGINE_PARAM_": "x", "HOME": "/"}) == {"db_size": "3"}


def test_the_log_never_holds_parameter_values() -> None:
    words = ["up", "t", "--param", "pw=hunter2", "-P", "a=hunter2", "--param=b=hunter2", "-Pc=hunter2"]
    assert "hunter2" not in " ".join(logging_setup._without_values(words))


@pytest.mark.parametrize(("shell", "check"), [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])])
def test_completion_scripts_are_valid(shell: str, check: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = tmp_path / "script"
    script.write_text(capsys.readouterr().out)
    if shutil.which(check[0]) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([*check, str(script)], check=True)


def test_bash_completes_commands_options_and_choices(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(completion.script("bash"))
    driver = f"""source {script}
    complete_line() {{ COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _shtab_stack_run; echo "${{COMPREPLY[@]}}"; }}
    complete_line stack-run ho; complete_line stack-run hosts st; complete_line stack-run up --on-failure k; complete_line stack-run down --y"""
    done = subprocess.run(["bash", "-c", driver], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["hosts", "start", "stop", "keep", "--yes"]


def test_fish_has_a_line_for_every_option() -> None:
    script = completion.script("fish")
    for words, parser in completion.parsers(build()):
        guard = " ".join(("__stack_run_at", *words))
        for action in parser._actions:
            for flag in action.option_strings:
                name = f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"
                assert any(f"'{guard}'" in line and name in line for line in script.splitlines()), (words, flag)


def test_every_command_has_a_module_and_says_what_it_is_for() -> None:
    for words, parser in completion.parsers(build()):
        assert isinstance(parser, argparse.ArgumentParser)
        if len(words) == 1:
            assert parser.description
            assert parser.get_default("run") is not None


def test_the_reference_page_is_what_the_parser_says(request: pytest.FixtureRequest) -> None:
    from golden_files import check_file

    check_file(ROOT / "docs/reference/cli.md", page(), update=request.config.getoption("--update-golden"))


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_help_does_not_depend_on_the_terminal(environ: dict[str, str]) -> None:
    done = subprocess.run([sys.executable, "-m", "stackengine.cli.main", "--help"], capture_output=True, env=os.environ | environ, check=True, cwd=ROOT)
    assert b"\x1b" not in done.stdout
