"""What a built image consists of, and the folder it stands in."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Manifest:
    """A built image. ``files`` maps a part (``kernel``, ``initrd``, ``disk``) to its file name in ``folder``; memory is in MiB."""

    name: str
    folder: Path
    kind: Literal["kernel", "disk"]
    files: dict[str, str]
    sha256: dict[str, str]
    """By part."""
    cmdline: str = ""
    user: str = "root"
    memory: int = 128
    """What a guest needs at least."""
    built_from: dict[str, str] = field(default_factory=dict)
    """Package versions."""

    def part(self, part: str) -> Path:
        """The file of a part; KeyError when the image has no such part."""
        return self.folder / self.files[part]


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """A hash of everything that goes into an image: versions, settings, our own files."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]


def load(folder: Path) -> Manifest | None:
    """The manifest of a folder; None when there is none or a part is missing."""
    try:
        data = json.loads((folder / "manifest.json").read_text())
        found = Manifest(folder=folder, **data)
    except (OSError, ValueError, TypeError):
        return None
    return found if all((folder / name).is_file() for name in found.files.values()) else None


def publish(folder: Path, fill: Callable[[Path], Manifest]) -> Manifest:
    """The image in ``folder``: found there, or made by ``fill`` in a folder beside it that is renamed when it is whole.

    Two processes may do this at once: the later one finds the folder and throws its own away.
    """
    found = load(folder)
    if found:
        return found
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        made = fill(part)
        data = asdict(made)
        del data["folder"]
        (part / "manifest.json").write_text(json.dumps(data, indent=1, sort_keys=True) + "\n")
        part.chmod(0o755)
        for name in made.files.values():
            with (part / name).open("rb") as file:
                os.fsync(file.fileno())
        _move(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    published = load(folder)
    if not published:
        raise OSError(f"{folder} is incomplete")
    return published


def digest(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _move(part: Path, folder: Path) -> None:
    try:
        part.rename(folder)
    except OSError:
        if load(folder):  # another process was faster
            return
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        folder.rename(aside / "broken")
        part.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)
