"""A layer that several stacks share, on a real libvirt: whole under its name, or not there."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stackengine import sdk
from stackengine.hosts import open_host, private
from stackengine.hosts.private import requirements
from stackengine.sdk import Host

lacking = [r.problem for r in requirements.requirements(outbound=False) if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    state = tmp_path_factory.mktemp("state")
    found = open_host("private://one", state)
    yield found
    found.close()  # type: ignore[attr-defined]
    private.remove("one", state)


class Changing(io.BytesIO):
    """A file that somebody writes to, or cuts off, after its first bytes were read."""

    def __init__(self, data: bytes, then: bytes) -> None:
        super().__init__(data)
        self._then = then

    def read(self, size: int | None = -1) -> bytes:
        at, found = self.tell(), super().read(size)
        if at == 0:
            self.seek(0)
            self.truncate()
            self.write(self._then)
            self.seek(len(found))
        return found


@pytest.mark.parametrize(("then", "said"), [(b"b" * (1 << 20), "changed while it was copied"), (b"a" * 1000, "bytes early")])
def test_a_layer_whose_source_changes_is_not_there_at_all(host: Host, then: bytes, said: str) -> None:
    """libvirt makes a raw volume under its final name, and takes it as whole when the stream ends."""
    data = b"a" * (1 << 20)
    ctx: Any = SimpleNamespace(host=host, check=lambda: None, alone=lambda _: nullcontext(), owner=dict)
    name, seen = f"layer-{len(then)}.raw", hashlib.sha256(data).hexdigest()
    with pytest.raises((sdk.HostError, sdk.FailedError), match=said):
        sdk.ensure_content(ctx, "se-layers", name, Changing(data, then), len(data), {}, shared=True, sha256=seen)
    assert name not in host.volume_names("se-layers")
    found = sdk.ensure_content(ctx, "se-layers", name, io.BytesIO(data), len(data), {}, shared=True, sha256=seen)
    assert Path(found.path).read_bytes() == data
