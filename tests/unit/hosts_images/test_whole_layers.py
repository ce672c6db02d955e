"""Content that several stacks share comes whole or not at all: what is sent is compared with what its name says while it is sent."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stackengine import sdk
from stackengine.hosts.images import Images
from stackengine.hosts.memory import MemoryHost

CONTENT = bytes(range(256)) * 12_000
NAME = f"{hashlib.sha256(CONTENT).hexdigest()[:32]}.raw"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "disk.img"
    made.write_bytes(CONTENT)
    return made


def context(host: MemoryHost) -> Any:
    def check() -> None:
        return

    return SimpleNamespace(host=host, check=check, alone=lambda _: nullcontext(), owner=dict)


def brought(host: MemoryHost, images: Images, file: Path, between: Any) -> sdk.VolumeInfo:
    """As an image is brought; ``between`` happens after it was looked at and before it is sent."""
    stream, length, sha256 = images.open_source(str(file))
    between()
    with stream:
        return sdk.ensure_content(context(host), "se-layers", NAME, stream, length, {"kind": "image"}, shared=True, sha256=sha256)


def nothing() -> None:
    return


def test_what_is_as_it_was_is_there_with_its_record(tmp_path: Path, file: Path) -> None:
    host = MemoryHost("memory://")
    assert brought(host, Images(tmp_path), file, nothing).capacity == len(CONTENT)
    assert (sdk.record_on(host, "se-layers", NAME) or {})["whole"] is True


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (CONTENT[:-1] + b"x", "changed while it was copied: sha256:"),
        (CONTENT[: 2 << 20], f"ended {len(CONTENT) - (2 << 20)} bytes early"),
        (b"", f"ended {len(CONTENT)} bytes early"),
    ],
)
def test_what_changed_meanwhile_is_not_there_at_all(tmp_path: Path, file: Path, content: bytes, said: str) -> None:
    host, images = MemoryHost("memory://"), Images(tmp_path)
    with pytest.raises((sdk.HostError, sdk.FailedError), match=said):
        brought(host, images, file, lambda: file.write_bytes(content))
    assert host.volume_names("se-layers") == []
    file.write_bytes(CONTENT)
    assert brought(host, images, file, nothing).capacity == len(CONTENT)


def test_half_an_upload_is_made_again(tmp_path: Path, file: Path) -> None:
    """Whoever is killed while he sends leaves a volume without a record."""
    host = MemoryHost("memory://")
    host.volume_create("se-layers", sdk.volume_xml(NAME, len(CONTENT), "raw"))
    brought(host, Images(tmp_path), file, nothing)
    assert host.volume_download("se-layers", NAME, 1 << 20) == CONTENT[: 1 << 20]
