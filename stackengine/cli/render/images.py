"""Guest images for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stackengine.cli.render.style import PLAIN, Style
from stackengine.cli.render.table import table
from stackengine.service.types import ImageView

_ABSENT = {"built": "is built when needed", "fetched": "is fetched when needed", "file": "its file is not there"}


def listing(images: Sequence[ImageView], style: Style = PLAIN) -> str:
    """One line for each image."""
    rows = [[i.name, place(i), ", ".join(i.holders) or "-", i.user or "-", f"{i.memory} MiB" if i.memory else "-", i.description] for i in images]
    return table(["image", "here", "stacks", "login", "needs", "what it is"], rows, style)


def place(image: ImageView) -> str:
    """Whether it is on this machine, and how large."""
    return f"yes, {mebibytes(image.held)}" if image.held else _ABSENT[image.origin]


def mebibytes(size: int) -> str:
    """Bytes, for people."""
    return f"{size / (1 << 20):.0f} MiB"


def image_data(image: ImageView) -> dict[str, Any]:
    """An image as JSON."""
    return {
        "name": image.name,
        "origin": image.origin,
        "bytes_here": image.held,
        "user": image.user,
        "memory_mib": image.memory,
        "description": image.description,
        "added": image.added,
        "stacks": list(image.holders),
    }
