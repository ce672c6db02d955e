"""Where the files of a guest image come from: installed Debian packages, or packages fetched with ``apt-get download``.

Nothing is installed and no root is needed: a package that this machine does not have is unpacked into a folder beside the images. Root may
keep packages unpacked for everybody (``python -m stackengine.hosts.guest_image.keep``).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from stackengine.sdk import FailedError

KEPT = Path("/var/cache/stackengine/packages")
"""Packages that root has unpacked for all users of the machine."""


class ImageError(FailedError):
    """An image cannot be built, found or fetched; ``hint`` says what to do."""


@dataclass(frozen=True, slots=True)
class Package:
    """The files of one package: ``root`` is ``/`` when it is installed, else the folder where it was unpacked."""

    name: str
    version: str
    root: Path

    def path(self, path: str) -> Path:
        """The file ``path`` (absolute, as in the package) on this machine."""
        return self.root / path.lstrip("/")


class Packages:
    """Finds packages; downloads go to ``folder``, and are looked for in ``kept``, too."""

    def __init__(self, folder: Path, *, download: bool = True, kept: Path = KEPT) -> None:
        self._folder, self._download, self._kept = folder, download, kept

    def find(self, *names: str) -> Package:
        """The first of ``names`` that is installed or kept, else the first that can be fetched; :class:`ImageError` says what to install."""
        for name in names:
            version = installed_version(name)
            if version:
                return Package(name, version, Path("/"))
        for name in names:
            if found := self.kept(name):
                return found
        problem = "apt-get is not here"
        if self._download and shutil.which("apt-get") and shutil.which("dpkg-deb"):
            try:
                return self._fetch(names[0])
            except subprocess.CalledProcessError as error:
                problem = str(error.stderr or error).strip().splitlines()[-1]
        raise ImageError(
            f"package {names[0]} is not installed, and could not be fetched: {problem}",
            hint=f"apt-get install {names[0]}",
        )

    def kept(self, pattern: str) -> Package | None:
        """The newest package whose name matches a glob pattern, of those that root keeps for everybody."""
        found = sorted(self._kept.glob(f"{pattern}_*"), key=lambda path: [int(n) for n in re.findall(r"\d+", path.name)])
        if not found:
            return None
        name, _, version = found[-1].name.partition("_")
        return Package(name, unquote(version), found[-1])

    def _fetch(self, name: str) -> Package:
        self._folder.mkdir(parents=True, exist_ok=True)
        version = candidate_version(name)
        root = self._folder / f"{name}_{quote(version, safe='+~.')}"
        if not root.is_dir():
            part = self._folder / f".{root.name}.{os.getpid()}"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            try:
                _run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", f"{name}={version}"], cwd=part)
                for archive in part.glob("*.deb"):
                    _run(["dpkg-deb", "-x", str(archive), str(part / "root")])
                _rename((part / "root"), root)
            finally:
                shutil.rmtree(part, ignore_errors=True)
        return Package(name, version, root)


def installed_version(name: str) -> str:
    """The version of an installed package; empty when it is not."""
    try:
        result = subprocess.run(
            ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", name], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    status, _, version = result.stdout.strip().partition(" ")
    return version if result.returncode == 0 and status == "installed" else ""


def depends(name: str, pattern: str) -> str:
    """The first dependency of package ``name`` that matches ``pattern`` (how a meta-package names the real one)."""
    text = _run(["apt-cache", "show", "--no-all-versions", name])
    for field in re.findall(r"^Depends: (.*)$", text, re.MULTILINE):
        for entry in re.split(r"[,|]\s*", field):
            match = re.match(pattern, entry.split()[0])
            if match:
                return match.group()
    raise ImageError(f"package {name} names nothing like {pattern}", hint="apt-get update")


def candidate_version(name: str) -> str:
    """The version that apt would fetch."""
    match = re.search(r"^\s+Candidate: (\S+)", _run(["apt-cache", "policy", name]), re.MULTILINE)
    if not match or match.group(1) == "(none)":
        raise ImageError(f"apt knows no package {name}", hint="apt-get update")
    return match.group(1)


def libraries(program: Path, roots: list[Path]) -> list[tuple[str, Path]]:
    """(path in the guest, file here) of the loader and all shared libraries that ``program`` needs; none when it is static.

    Libraries of packages that were unpacked below ``roots`` are found there.
    """
    folders = [str(root / sub) for root in roots for sub in ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu") if str(root) != "/"]
    environment = {**os.environ, "LC_ALL": "C", "LD_LIBRARY_PATH": ":".join(folders)}
    result = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False, env=environment)
    if "not a dynamic executable" in result.stderr + result.stdout:
        return []
    missing = re.findall(r"^\s*(\S+) => not found", result.stdout, re.MULTILINE)
    if missing or result.returncode:
        raise ImageError(
            f"{program.name} needs {', '.join(missing) or 'a loader'}, which this machine does not have",
            hint="apt-get install qemu-guest-agent dropbear-bin busybox-static",
        )
    found = [(f"lib/x86_64-linux-gnu/{name}", Path(path)) for name, path in re.findall(r"^\s*(\S+) => (/\S+)", result.stdout, re.MULTILINE)]
    found.extend((path.lstrip("/"), Path(path)) for path in re.findall(r"^\s*(/\S+ld-linux\S+)", result.stdout, re.MULTILINE))
    return found


def _rename(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError:
        if not target.is_dir():  # somebody else was faster: theirs is as good
            raise


def _run(command: list[str], cwd: Path | None = None) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=cwd, env={**os.environ, "LC_ALL": "C"}).stdout
