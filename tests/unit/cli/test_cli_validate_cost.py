"""``validate`` of a template that is right needs neither the database nor the planner's graphs nor jsonschema."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[3]
HEAVY = ("networkx", "sqlalchemy", "alembic", "jsonschema", "libvirt", "rich", "jinja2", "cryptography", "tenacity", "email", "asyncio")


@pytest.mark.parametrize("command", ["validate", "graph"])
def test_nothing_heavy_is_imported(command: str, tmp_path: Path) -> None:
    template = ROOT / "templates/three-tier/hot/stack.yaml"
    code = f"import sys\nfrom stackengine.cli.main import main\ncode = main(['--state', {str(tmp_path)!r}, {command!r}, {str(template)!r}])\n"
    code += f"print(code, [m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr.strip().splitlines()[-1] == "0 []"
