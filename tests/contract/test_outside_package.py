"""A resource type from a package of somebody else, installed by pip: found, validated, planned, created, updated, rolled back, and it keeps the contract."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough

HANDLER = '''
"""X::Note: a text file in a storage pool, as an example of a type of one's own."""

import io

from stackengine import sdk


class Note(sdk.ResourceType):
    name = "X::Note"

    def identify(self, ids, want):
        return {"physical_id": ids.name(), "file": f"{ids.name()}.txt"}

    def check(self, want):
        text = want.get("text")
        return [sdk.Refusal("text", "a note is not empty")] if isinstance(text, str) and not text.strip() else []

    def create(self, ctx, want):
        known = sdk.record_of(ctx, "default", ctx.identity["file"])
        if known is None or known.get("text") != want["text"]:
            sdk.remove_volume(ctx, "default", ctx.identity["file"])
        data = want["text"].encode()
        record = {**ctx.owner(), "text": want["text"]}
        found = sdk.ensure_content(ctx, "default", ctx.identity["file"], io.BytesIO(data), len(data), record)
        return {"path": found.path}

    def read(self, ctx, last):
        known = sdk.record_of(ctx, "default", ctx.identity["file"])
        return None if known is None else {"text": known["text"]}

    def delete(self, ctx, last):
        sdk.remove_volume(ctx, "default", ctx.identity["file"])
'''
SCHEMA = {
    "typeName": "X::Note", "description": "A text file in a storage pool.", "required": ["text"], "additionalProperties": False,
    "properties": {"text": {"type": "string", "description": "What it says.", "apply": "live", "examples": ["one", "two"]}},
    "attributes": {"path": {"type": "string", "when": "configured"}, "file": {"type": "string", "when": "planned"}},
}  # fmt: skip
EXAMPLE = "heat_template_version: 2018-08-31\nresources:\n  note: {type: 'X::Note', properties: {text: hello}}\n"
PROJECT = """
[build-system]
requires = []
build-backend = "%s"

[project]
name = "x-note"
version = "1.0"

[project.entry-points."stackengine.resource_types"]
note = "x_note"

[tool.setuptools]
packages = ["x_note"]
package-data = {x_note = ["*.json", "examples/*"]}

[tool.hatch.build.targets.wheel]
packages = ["x_note"]
"""
TEMPLATE = """heat_template_version: 2018-08-31
resources:
  note:
    type: X::Note
    properties: {text: %s}
outputs:
  path: {value: {get_attr: [note, path]}}
"""
NEVER_READY = """
  handle: {type: OS::Heat::WaitConditionHandle}
  never: {type: OS::Heat::WaitCondition, depends_on: note, properties: {handle: {get_resource: handle}, timeout: 1}}
outputs:"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip put the package."""
    backends = {"hatchling": "hatchling.build", "setuptools": "setuptools.build_meta"}
    there = [build for module, build in backends.items() if importlib.util.find_spec(module)]
    if not there:
        pytest.skip("neither hatchling nor setuptools is installed")
    root = tmp_path_factory.mktemp("package")
    package = root / "x_note"
    (package / "examples").mkdir(parents=True)
    (package / "__init__.py").write_text(HANDLER.lstrip())
    (package / "schema.json").write_text(json.dumps(SCHEMA))
    (package / "examples" / "hot.yaml").write_text(EXAMPLE)
    (root / "pyproject.toml").write_text(PROJECT % there[0])
    target = tmp_path_factory.mktemp("target")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(target), str(root)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def python(installed: Path, *arguments: str, state: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed), "NO_COLOR": "1", **({"STACKENGINE_STATE": str(state)} if state else {})}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False, cwd=installed)


def run(installed: Path, state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(installed, "-m", "stackengine.cli.main", *arguments, state=state)


def note(state: Path) -> str:
    """What the memory host's file of the note says."""
    volumes = json.loads((state / "memory" / "default.json").read_text())["pools"]["default"]["volumes"]
    records = [v for name, v in volumes.items() if name.endswith(".txt")]
    assert len(records) == 1
    return base64.b64decode(records[0]["data"]).decode()


def test_the_type_is_at_most_forty_lines_of_python() -> None:
    assert len([line for line in HANDLER.splitlines() if line.strip()]) <= 40


def test_the_type_is_found_validated_planned_created_and_rolled_back(installed: Path, tmp_path: Path) -> None:
    state, template = tmp_path / "state", tmp_path / "stack.yaml"
    assert "X::Note" in run(installed, state, "types").stdout
    template.write_text(TEMPLATE.replace("text:", "txet:") % "hello")
    wrong = run(installed, state, "validate", str(template))
    assert wrong.returncode == 3
    assert "X::Note has no property txet" in wrong.stderr + wrong.stdout
    assert "did you mean 'text'" in wrong.stderr + wrong.stdout
    template.write_text(TEMPLATE % "' '")
    assert "a note is not empty" in (r := run(installed, state, "validate", str(template))).stderr + r.stdout
    template.write_text(TEMPLATE % "hello")
    up = ("up", str(template), "--name", "n", "--host", "memory://", "--yes")
    planned = run(installed, state, "plan", str(template), "--name", "n", "--host", "memory://")
    assert "note" in planned.stdout + planned.stderr
    assert run(installed, state, *up).returncode == 0
    assert note(state) == "hello"
    template.write_text(TEMPLATE % "changed")
    assert run(installed, state, *up).returncode == 0
    assert note(state) == "changed"
    template.write_text((TEMPLATE % "worse").replace("\noutputs:", NEVER_READY))
    failed = run(installed, state, *up)
    assert failed.returncode == 1
    assert "rolled back" in failed.stderr + failed.stdout
    assert note(state) == "changed"
    assert run(installed, state, "down", "n", "--yes").returncode == 0
    assert not json.loads((state / "memory" / "default.json").read_text())["pools"]["default"]["volumes"]


def test_the_type_keeps_the_contract(installed: Path) -> None:
    code = """
from stackengine import registry
from stackengine.testing import contract

passed = 0
for check in contract.CHECKS:
    try:
        check(contract.Subject("X::Note", registry.load()))
        passed += 1
    except contract.Skipped as reason:
        print("skipped", check.__name__, reason)
print("passed", passed)
"""
    done = python(installed, "-c", code)
    assert done.returncode == 0, done.stderr
    assert "passed 11" in done.stdout, done.stdout
