"""Consoles and channels of the guests of a libvirt host: their streams, and what is kept of what guests said."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libvirt

from stackengine.hosts.consoles import CONSOLES, read_now
from stackengine.hosts.libvirt.drivers import Driver
from stackengine.hosts.reach import Reach
from stackengine.sdk import DomainInfo, Profile


class StreamCalls:
    """The part of a libvirt host that hears guests, and speaks with them."""

    _reach: Reach
    _log_folder: Path | None

    @property
    def driver(self) -> Driver:
        """Elsewhere."""
        raise NotImplementedError

    @property
    def profile(self) -> Profile:
        """Elsewhere."""
        raise NotImplementedError

    def domain_info(self, uuid: str) -> DomainInfo | None:
        """Elsewhere."""
        raise NotImplementedError

    def _call(self, name: str, work: Callable[[Any], Any], *, retry: bool = True) -> Any:
        raise NotImplementedError

    def domain_console_tail(self, uuid: str, limit: int = 4096) -> str:
        """The end of the console log; only where the log is a file of this machine."""
        info = self.domain_info(uuid)
        file = self._console_file(info) if info else None
        if file is None:
            return ""
        with file.open("rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - limit))
            return log.read().decode("utf-8", "replace").replace("\r\n", "\n")

    def console_file(self, uuid: str) -> Path | None:
        """The console's log file, where it is a file of this machine."""
        info = self.domain_info(uuid)
        return self._console_file(info) if info else None

    def _console_file(self, info: DomainInfo) -> Path | None:
        if CONSOLES in self.profile.features:
            read_now(self, info)
            heard = self.console_record(info.uuid)
            return heard if heard.is_file() else None
        found = re.search(r"<log file='([^']+)'", info.xml)
        if not found:
            return None
        path = Path(found.group(1))
        if self._log_folder is not None:
            path = self._log_folder / path.relative_to("/var/log/libvirt")
        return path if path.is_file() else None

    def console_record(self, uuid: str) -> Path:
        """Where what is read of a guest's console is kept, of a host that keeps no log of it (feature ``signals-console``)."""
        return self._reach.folder / "consoles" / f"{uuid}.log"

    def listen_console(self, uuid: str) -> Any:
        """A non-blocking stream to the console; RefusedError while somebody else has it."""

        def work(c: Any) -> Any:
            stream = c.newStream(libvirt.VIR_STREAM_NONBLOCK)
            c.lookupByUUIDString(uuid).openConsole(None, stream, 0)
            return stream

        return self._call("virDomainOpenConsole", work, retry=False)

    def open_console(self, uuid: str) -> Any:
        """An interactive stream to the serial console (virDomainOpenConsole)."""

        def work(c: Any) -> Any:
            stream = c.newStream(0)
            c.lookupByUUIDString(uuid).openConsole(None, stream, self.driver.console)
            return stream

        return self._call("virDomainOpenConsole", work)

    def open_channel(self, uuid: str, name: str) -> Any:
        """A non-blocking stream to a virtio-serial channel (virDomainOpenChannel)."""

        def work(c: Any) -> Any:
            stream = c.newStream(libvirt.VIR_STREAM_NONBLOCK)
            c.lookupByUUIDString(uuid).openChannel(name, stream, libvirt.VIR_DOMAIN_CHANNEL_FORCE)
            return stream

        return self._call("virDomainOpenChannel", work, retry=False)
