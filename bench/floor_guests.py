"""The floor under guests: libvirt-python used directly, four threads on four connections, the XML that the engine itself sent.

``capture`` reads the definitions of a stack that is up; ``up`` and ``down`` do with them what has to be done, and nothing else.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import Any

import libvirt

THREADS = 4


@dataclass
class Captured:
    """Inactive XML of a running stack's networks, packet filters and domains."""

    networks: list[str] = field(default_factory=list)
    domains: list[str] = field(default_factory=list)
    volumes: list[tuple[str, str, bytes]] = field(default_factory=list)
    """(pool, XML, content) of every volume that a domain uses."""
    filters: list[str] = field(default_factory=list)


def capture(uri: str) -> Captured:
    """Everything that stands on the host now."""
    connection = libvirt.open(uri)
    flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
    found = Captured(
        [n.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE) for n in connection.listAllNetworks()],
        [d.XMLDesc(flags) for d in connection.listAllDomains()],
    )
    found.filters += [f.XMLDesc(0) for f in connection.listAllNWFilters() if f.name().startswith("se-")]
    used = {path for xml in found.domains for path in re.findall(r"<source file='([^']+)'", xml)}
    for path in sorted(used):
        volume = connection.storageVolLookupByPath(path)
        stream = connection.newStream()
        volume.download(stream, 0, 0)
        parts: list[bytes] = []
        stream.recvAll(lambda _s, data, kept: kept.append(data) or 0, parts)
        stream.finish()
        found.volumes.append((volume.storagePoolLookupByVolume().name(), volume.XMLDesc(0), b"".join(parts)))
    connection.close()
    return found


def parallel(uri: str, work: list[Callable[[Any], None]]) -> None:
    """Run ``work`` on four threads, each with a connection of its own."""
    queue: Queue[Callable[[Any], None]] = Queue()
    for item in work:
        queue.put(item)
    failures: list[BaseException] = []

    def body() -> None:
        connection = libvirt.open(uri)
        try:
            while True:
                queue.get_nowait()(connection)
        except Empty:
            pass
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=body) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def up(uri: str, stack: Captured) -> float:
    """Define and start everything; seconds."""
    start = time.perf_counter()

    def network(xml: str) -> Callable[[Any], None]:
        return lambda connection: connection.networkDefineXML(xml).create()

    def volume(pool: str, xml: str, content: bytes) -> Callable[[Any], None]:
        def body(connection: Any) -> None:
            made = connection.storagePoolLookupByName(pool).createXML(xml)
            if content:
                stream = connection.newStream()
                made.upload(stream, 0, len(content))
                view = memoryview(content)
                position = 0
                while position < len(view):
                    position += stream.send(bytes(view[position : position + 262_144]))
                stream.finish()

        return body

    def domain(xml: str) -> Callable[[Any], None]:
        return lambda connection: connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE).create()

    def packet_filter(xml: str) -> Callable[[Any], None]:
        return lambda connection: connection.nwfilterDefineXML(xml)

    parallel(uri, [network(x) for x in stack.networks] + [volume(*v) for v in stack.volumes] + [packet_filter(x) for x in stack.filters])
    parallel(uri, [domain(x) for x in stack.domains])
    return time.perf_counter() - start


def down(uri: str, stack: Captured) -> float:
    """Remove what ``up`` made; seconds."""
    start = time.perf_counter()

    def uuid_of(xml: str) -> str:
        found = re.search(r"<uuid>([^<]+)</uuid>", xml)
        assert found, xml
        return found.group(1)

    def domain(xml: str) -> Callable[[Any], None]:
        def body(connection: Any) -> None:
            guest = connection.lookupByUUIDString(uuid_of(xml))
            guest.destroy()
            guest.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)

        return body

    def network(xml: str) -> Callable[[Any], None]:
        def body(connection: Any) -> None:
            found = connection.networkLookupByUUIDString(uuid_of(xml))
            found.destroy()
            found.undefine()

        return body

    def volume(pool: str, xml: str, _content: bytes) -> Callable[[Any], None]:
        name = re.search(r"<name>([^<]+)</name>", xml)
        assert name, xml
        return lambda connection: connection.storagePoolLookupByName(pool).storageVolLookupByName(name.group(1)).delete()

    def packet_filter(xml: str) -> Callable[[Any], None]:
        return lambda connection: connection.nwfilterLookupByUUIDString(uuid_of(xml)).undefine()

    parallel(uri, [domain(x) for x in stack.domains])
    parallel(uri, [network(x) for x in stack.networks] + [volume(*v) for v in stack.volumes] + [packet_filter(x) for x in stack.filters])
    return time.perf_counter() - start
