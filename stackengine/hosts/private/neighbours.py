"""Who an address is, by the kernel: the MAC that answers for it, and the port of the bridge where that MAC was last seen."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

_COMPLETE = 0x2
"""Flag of an entry whose MAC is known (ATF_COM)."""
_FDB = struct.Struct("6sBBIBBH")
"""struct __fdb_entry of linux/if_bridge.h: MAC, port (low byte), whether it is the bridge's own, age, port (high byte), padding."""


def seen(address: str, arp: Path = Path("/proc/net/arp"), devices: Path = Path("/sys/class/net")) -> Iterator[tuple[str, bool]]:
    """(MAC, whether it was seen at the tap that libvirt made for it) of the neighbours with this IPv4 address."""
    for line in arp.read_text().splitlines()[1:]:
        known, _, flags, mac, _, device = line.split()
        if known == address and int(flags, 16) & _COMPLETE:
            yield mac.lower(), at_own_port(mac.lower(), devices / device)


def at_own_port(mac: str, bridge: Path) -> bool:
    """Whether a bridge last saw a MAC at that guest's tap, whose own MAC libvirt makes of the guest's (virNetDevTapCreateInBridgePort)."""
    try:
        port = _port_of(mac, bridge / "brforward")
        for tap in (bridge / "brif").iterdir():
            if int((tap / "port_no").read_text(), 16) == port:
                return _tap_mac(mac) == (bridge.parent / tap.name / "address").read_text().strip().lower()
    except OSError:  # no bridge, or the tap went at this moment
        return False
    return False


def _tap_mac(mac: str) -> str:
    return ("fa" if mac.startswith("fe") else "fe") + mac[2:]


def _port_of(mac: str, table: Path) -> int:
    wanted, data = bytes.fromhex(mac.replace(":", "")), table.read_bytes()
    for found, low, own, _, high, _, _ in _FDB.iter_unpack(data[: len(data) // _FDB.size * _FDB.size]):
        if found == wanted and not own:
            return int(low | high << 8)
    return -1
