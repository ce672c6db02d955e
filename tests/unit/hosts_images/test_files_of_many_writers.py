"""Files that several commands of a machine write at the same time: each is whole, and nobody's entry is lost."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stackengine.hosts.catalogue import Catalogue
from stackengine.hosts.runtime import write_whole

NAMES = [f"image-{n}" for n in range(24)]


def test_names_that_are_added_at_the_same_time_are_all_there(tmp_path: Path) -> None:
    file = tmp_path / "images" / "added.json"
    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(lambda name: Catalogue(file).add(name, f"https://images.example/{name}.qcow2"), NAMES))
    assert sorted(Catalogue(file).added()) == sorted(NAMES)


def test_a_file_that_many_write_is_one_of_theirs_and_whole(tmp_path: Path) -> None:
    file = tmp_path / "probe.json"
    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(lambda n: write_whole(file, json.dumps([n] * 2000)), range(64)))
    found = json.loads(file.read_text())
    assert len(found) == 2000
    assert len(set(found)) == 1
    assert [f.name for f in tmp_path.iterdir()] == ["probe.json"]
