"""What is built can be installed and used away from the checkout, without libvirt and without a compiler."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def build(kind: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = folder.iterdir()
    return made


def test_the_wheel_works_in_an_empty_environment_away_from_the_checkout(tmp_path: Path) -> None:
    wheel = build("wheel", tmp_path / "dist")
    with zipfile.ZipFile(wheel) as archive:
        held = archive.namelist()
    assert "stackengine/_resource_types/server/schema.json" in held
    assert "stackengine/_templates/hello/tosca/stack.yaml" in held
    assert "stackengine/hosts/guest_image/guest/tiny/init" in held
    assert not [n for n in held if n.startswith(("tests/", "resource_types/", "tools/"))]

    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    no_compiler = {**os.environ, "CC": "/bin/false", "CXX": "/bin/false", "PKG_CONFIG": "/bin/false"}
    install = [str(programs / "python"), "-m", "pip", "install", "-q", "--only-binary", ":all:", str(wheel)]
    done = subprocess.run(install, capture_output=True, text=True, check=False, env=no_compiler)
    assert done.returncode == 0, done.stderr
    assert subprocess.run([programs / "python", "-c", "import libvirt"], capture_output=True, check=False).returncode == 1

    away = tmp_path / "away"
    away.mkdir()
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV") and not k.startswith("STACKENGINE_")}
    environment["STACKENGINE_STATE"] = str(tmp_path / "state")

    def run(*words: str) -> str:
        done = subprocess.run([programs / "stack-run", *words], cwd=away, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    for language in ("hot", "cfn", "tosca"):
        run("new", "three-tier", language, "--language", language)
        run("validate", f"{language}/stack.yaml")
    run("up", "hot/stack.yaml", "--name", "away", "--host", "memory://", "--yes")
    assert run("outputs", "away", "url").startswith("http://127.0.0.1:")
    assert "SE::Server" in run("types")
    run("down", "away", "--yes")


def test_the_source_archive_has_what_a_build_needs(tmp_path: Path) -> None:
    archive = build("sdist", tmp_path / "dist")
    with tarfile.open(archive) as opened:
        held = {name.partition("/")[2] for name in opened.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "stackengine/sdk/__init__.py", "resource_types/server/handler.py", "tools/setup"} <= held
    assert "templates/hello/hot/stack.yaml" in held
