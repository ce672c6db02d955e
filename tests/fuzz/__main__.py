"""Coverage-guided fuzzing of one reader: ``make fuzz``, or ``PYTHONPATH=.:tests python -m fuzz READER [SECONDS]``.

Needs atheris, which finds its own way through the code. It begins with the gallery and the mistakes of the golden files. What it finds stands in
``crash-…`` files, and the exit code is not 0.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]

with atheris.instrument_imports(include=["stackengine"]):
    from fuzz.readers import HEADS, reader

ROOT = Path(__file__).parents[2]
MAX_LENGTH = 3000
MEMORY = 1500
"""Megabytes."""
SLOWEST = 20
"""Seconds for one text; the code is slowed down some ten times by what watches it."""


def seeds(folder: Path, name: str) -> None:
    """The texts to begin with."""
    language = {"tosca2": "tosca", "json": "cfn", "environment": "hot"}.get(name, name)
    found = [*(ROOT / "templates").glob(f"*/{language}/*.yaml"), *(ROOT / "tests" / "golden" / "mistakes" / language).glob("*.yaml")]
    for number, path in enumerate(found):
        text = path.read_text("utf-8").removeprefix(HEADS[name].split("\n", maxsplit=1)[0])
        if len(text) < MAX_LENGTH:
            (folder / f"{number}").write_text(text)


def main() -> None:
    """Fuzz."""
    name, seconds = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "60"
    read = reader(name)

    def one(data: bytes) -> None:
        read(data.decode("utf-8", "replace"))

    with tempfile.TemporaryDirectory() as folder:
        seeds(Path(folder), name)
        limits = [f"-max_total_time={seconds}", f"-max_len={MAX_LENGTH}", f"-timeout={SLOWEST}", f"-rss_limit_mb={MEMORY}", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], folder, *limits], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
