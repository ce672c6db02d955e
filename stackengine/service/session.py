"""A session: state folder, store, registry and hosts, each opened when it is first needed."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from stackengine import registry as types
from stackengine.service.types import ServiceError, Settings

if TYPE_CHECKING:
    from stackengine.hosts.images import Images
    from stackengine.model.allowed import Allowed, Pools
    from stackengine.sdk import Host
    from stackengine.service.hands import Hands
    from stackengine.store.store import Store

DEFAULT_HOST = "private://default"


class Session:
    """What the use cases work on; close it when done."""

    def __init__(self, settings: Settings, hands: Hands | None = None) -> None:
        self.settings, self._hands = settings, hands
        self.folder, self.url = place_of_state(settings.state)
        self._hosts: dict[str, Host] = {}
        self._store: Store | None = None

    @property
    def hands(self) -> Hands:
        """What carries plans out."""
        if self._hands is None:
            from stackengine.service.hands import Hands

            self._hands = Hands()
        return self._hands

    @property
    def store(self) -> Store:
        """The store; ServiceError when it cannot be used."""
        if self._store is None:
            from stackengine.store.errors import StoreError
            from stackengine.store.store import Store

            try:
                self._store = Store(self.url, self.folder)
            except StoreError as error:
                raise ServiceError(str(error), hint=error.hint) from error
        return self._store

    @cached_property
    def registry(self) -> types.Registry:
        """All resource types."""
        try:
            return types.load(self.settings.types)
        except types.BrokenTypeError as error:
            raise ServiceError(f"a resource type cannot be used: {error}", hint="mend its folder, or leave --types away") from error

    @cached_property
    def allowed(self) -> Allowed:
        """What the owner of this machine lets templates do on it."""
        from stackengine.service.owner import allowed

        return allowed()

    @cached_property
    def pools(self) -> Pools:
        """What names and addresses are chosen from on this machine."""
        from stackengine.service.owner import pools

        return pools()

    @cached_property
    def images(self) -> Images:
        """The image sources of this machine."""
        from stackengine.hosts.images import Images
        from stackengine.service.owner import downloads

        return Images(self.folder, downloads())

    def host(self, uri: str, *, start: bool = True) -> Host:
        """The host of a URI, opened once."""
        if uri not in self._hosts:
            from stackengine.hosts import open_host

            self._hosts[uri] = open_host(uri, self.folder, start=start)
        return self._hosts[uri]

    def forget(self, uri: str) -> None:
        """Close a host, so that the next who asks for it opens it anew."""
        found: Any = self._hosts.pop(uri, None)
        if found is not None:
            found.close()

    def close(self) -> None:
        """Close what was opened."""
        for host in self._hosts.values():
            close = getattr(host, "close", None)
            if close is not None:
                close()
        if self._store is not None:
            self._store.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open(settings: Settings) -> Session:  # noqa: A001  (service.open reads like what it does)
    """Open a session."""
    return Session(settings)


def place_of_state(state: str) -> tuple[Path, str]:
    """(state folder, database URL): an empty ``state`` is the user's XDG state folder; else a folder, a .db file, or a URL."""
    if not state:
        base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        state = str(Path(base) / "stackengine")
    if "://" in state and not state.startswith("sqlite"):
        folder, _ = place_of_state("")
        return folder, state
    path = Path(state.removeprefix("sqlite:///")).expanduser().resolve()
    if path.suffix in (".db", ".sqlite", ".sqlite3"):
        return path.parent, f"sqlite:///{path}"
    return path, f"sqlite:///{path / 'stackengine.db'}"
