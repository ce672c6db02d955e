"""Debian's cloud kernel and the few modules of it that a guest needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from stackengine.hosts.guest_image.archive import Tree
from stackengine.hosts.guest_image.ingredients import ImageError, Package, Packages, depends, installed_version

META_PACKAGE = "linux-image-cloud-amd64"


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel: its release (``uname -r``), image and module folder on this machine."""

    release: str
    version: str
    """Of the package."""
    image: Path
    modules: Path

    def install(self, tree: Tree, wanted: list[str]) -> None:
        """Put the modules ``wanted``, what they depend on, and the indexes that modprobe reads into ``tree``."""
        dependencies = _dependencies(self.modules)
        chosen: dict[str, list[str]] = {}
        for name in wanted:
            if name in dependencies:  # what is not a module is built in
                path, needs = dependencies[name]
                chosen[path] = needs
                chosen.update((need, dependencies[_name(need)][1]) for need in needs)
        base = f"lib/modules/{self.release}"
        for path in chosen:
            tree.copy(f"{base}/{path}", self.modules / path)
        lines = [f"{path}: {' '.join(needs)}".rstrip() for path, needs in sorted(chosen.items())]
        tree.file(f"{base}/modules.dep", ("\n".join(lines) + "\n").encode())
        tree.file(f"{base}/modules.alias", self._aliases({_name(path) for path in chosen}))

    def _aliases(self, names: set[str]) -> bytes:
        keep = ["# Aliases extracted from modules themselves."]
        for line in (self.modules / "modules.alias").read_text().splitlines():
            words = line.split()
            if len(words) == 3 and words[0] == "alias" and words[2].replace("-", "_") in names:
                keep.append(line)
        return ("\n".join(keep) + "\n").encode()


def find(packages: Packages) -> Kernel:
    """The newest installed cloud kernel, else one that root keeps or that is fetched; :class:`ImageError` says what to install."""
    here = sorted(Path("/lib/modules").glob("*-cloud-amd64"), key=lambda path: _order(path.name))
    for folder in reversed(here):
        image = Path("/boot") / f"vmlinuz-{folder.name}"
        if image.is_file() and (folder / "modules.dep").is_file():
            return Kernel(folder.name, installed_version(f"linux-image-{folder.name}"), _readable(image), folder)
    package = packages.kept("linux-image-*-cloud-amd64") or _fetched(packages)
    release = package.name.removeprefix("linux-image-")
    modules = package.path(f"/lib/modules/{release}")
    if not modules.is_dir():
        modules = package.path(f"/usr/lib/modules/{release}")
    if not (modules / "modules.dep").is_file():
        _depmod(package, release, modules)
    return Kernel(release, package.version, package.path(f"/boot/vmlinuz-{release}"), modules)


def _fetched(packages: Packages) -> Package:
    try:
        name = depends(META_PACKAGE, r"linux-image-[0-9][0-9a-z.+-]*-cloud-amd64")
    except (ImageError, OSError) as error:
        raise ImageError(f"no cloud kernel is installed, and none could be fetched: {error}", hint=f"apt-get install {META_PACKAGE}") from error
    return packages.find(name)


def _readable(image: Path) -> Path:
    try:
        with image.open("rb"):
            return image
    except PermissionError as error:
        raise ImageError(f"{image} cannot be read", hint=f"as root: chmod a+r {image}") from error


def _dependencies(modules: Path) -> dict[str, tuple[str, list[str]]]:
    """By module name: its path and the paths of all modules that it needs (modules.dep lists them all, not only the direct ones)."""
    result = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, needs = line.partition(":")
        result[_name(path)] = (path, needs.split())
    return result


def _depmod(package: Package, release: str, modules: Path) -> None:
    import subprocess

    program = next((path for path in ("/sbin/depmod", "/usr/sbin/depmod", "/bin/depmod") if Path(path).exists()), "")
    if not program:
        raise ImageError("depmod is not here, and the fetched kernel has no module index", hint=f"apt-get install kmod, or {META_PACKAGE}")
    base = package.root / "usr" if modules.is_relative_to(package.root / "usr") else package.root
    subprocess.run([program, "-b", str(base), release], check=True, capture_output=True)


def _name(path: str) -> str:
    return Path(path).name.split(".ko")[0].replace("-", "_")


def _order(release: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", release)]
