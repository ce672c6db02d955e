"""The pytest plugin: stacks by scope, nothing left afterwards, a failed test tells what happened to its stack."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

from stackengine import service
from stackengine.service.environments import up
from stackengine.service.types import Settings

pytestmark = pytest.mark.thorough

pytest_plugins = "pytester"
NAME = "stackengine.testing.pytest_plugin"
PLUGIN = [] if any(e.value == NAME for e in entry_points(group="pytest11")) else ["-p", NAME]
"""Where the package was installed before it had the entry point."""

TEMPLATE = """heat_template_version: 2018-08-31
parameters:
  greeting: {type: string, default: hello}
resources:
  thing: {type: 'SE::None', properties: {value: {get_param: greeting}}}
outputs:
  greeting: {value: {get_param: greeting}}
"""
TESTS = """
import pytest
seen = {}

@pytest.mark.stack("stack.yaml")
@pytest.mark.parametrize("n", [1, 2])
def test_one_for_the_session(stack, n):
    assert stack.outputs == {"greeting": "hello"}
    assert seen.setdefault("name", stack.name) == stack.name

@pytest.mark.stack("stack.yaml", scope="function", parameters={"greeting": "hi"})
@pytest.mark.parametrize("n", [1, 2])
def test_one_each(stack, n):
    assert stack.outputs == {"greeting": "hi"}
    assert seen.setdefault(stack.name, n) == n
    assert seen["name"] != stack.name

@pytest.mark.stack("stack.yaml")
def test_fails(stack):
    assert stack.name == "another"

@pytest.mark.stack("stack.yaml")
def test_cannot_be_reset_here(stack):
    with pytest.raises(Exception, match="only what is in a private host"):
        stack.reset()
"""


@pytest.fixture
def house(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    pytester.makefile(".yaml", stack=TEMPLATE)
    monkeypatch.setenv("STACKENGINE_STATE", str(pytester.path / "state"))
    monkeypatch.setenv("STACKENGINE_HOST", "memory://")
    return pytester


def left(house: pytest.Pytester) -> list[str]:
    with service.open(Settings(state=str(house.path / "state"))) as session:
        return [e.row.name for e in up.ls(session)]


def test_stacks_by_scope_and_the_story_of_a_failed_one(house: pytest.Pytester) -> None:
    house.makepyfile(TESTS)
    result = house.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider")
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(["*- stack test-stacks-*", "*operation.finished*"])
    assert left(house) == []


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ("", "say which template"),
        ("@pytest.mark.stack('none.yaml')", "no such file"),
        ("@pytest.mark.stack('stack.yaml', scop='x')", "knows no scop"),
        ("@pytest.mark.stack('stack.yaml', scope='package')", "knows no package"),
        ("@pytest.mark.stack('stack.yaml', fork=True)", "cannot be cut"),
        ("@pytest.mark.stack('stack.yaml', reset=True)", "cannot be cut"),
    ],
)
def test_a_wrong_marker_is_told(house: pytest.Pytester, mark: str, said: str) -> None:
    house.makepyfile(f"import pytest\n{mark}\ndef test_it(stack): pass\n")
    result = house.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{said}*"])
    assert left(house) == []
