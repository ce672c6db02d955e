"""Which accelerator really runs a guest: only running one tells. Neither the device node nor libvirt's capabilities are believed.

The guest is the machine's own firmware: a domain without any disk, whose SeaBIOS writes to the serial port, goes through its whole power-on self
test (all processor modes, timers, interrupts, devices) and ends with the words that nothing is bootable. It needs no file, so it runs on remote hosts
too, and through libvirt, so it has the rights that every guest there will have. It takes about half a second.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stackengine.hosts.runtime import write_whole

BOOT_SECONDS = 15.0
"""Longest time for the word; a guest that hangs never says it."""
EMULATED_SECONDS = 60.0
"""The same under emulation: it does not hang, but the machine may be very busy."""
AT_ONCE_SECONDS = 1.0
"""A guest that is accelerated says it in a tenth of this. One that took longer is compared with an emulated one: the machine may only be busy."""
CLEARLY = 2.0
"""So many times the processor time of an emulated guest are no acceleration. Wall-clock time would say how busy the machine is, and to whom of the two."""
WORD = b"No bootable device"
PROBE = """<domain type='{accelerator}'>
  <name>{name}</name><uuid>{uuid}</uuid>
  <memory unit='MiB'>32</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type><bios useserial='yes'/></os>
  <features><acpi/></features>
  <cpu mode='{cpu}'/>
  <on_reboot>destroy</on_reboot>
  <devices><controller type='usb' model='none'/><serial type='pty'/><memballoon model='none'/></devices>
</domain>"""


@dataclass(frozen=True, slots=True)
class Boot:
    """How the guest got on: seconds until its word, or why it never said it."""

    seconds: float = 0.0
    problem: str = ""
    cpu: float = 0.0
    """Seconds of processor time that it took until then."""
    started: bool = True
    """Whether there was a guest at all; not where the host knows no such kind."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found: ``kvm``, ``qemu`` (emulation), or nothing when no guest runs at all."""

    accelerator: str
    seconds: float = 0.0
    """From the start of the guest's processor to its word."""
    reason: str = ""
    """Why it is not ``kvm``."""


def boot(connection: Any, accelerator: str, limit: float = BOOT_SECONDS) -> Boot:
    """Run the guest once, for at most ``limit`` seconds; it is gone afterwards, also when we are killed."""
    import libvirt

    identity = uuid.uuid4()
    xml = PROBE.format(accelerator=accelerator, name=f"se-probe-{identity.hex[:12]}", uuid=identity, cpu="host-model" if accelerator == "kvm" else "maximum")
    said, word = bytearray(), threading.Event()

    def listen(stream: Any) -> None:
        try:
            while data := stream.recv(4096):
                said.extend(data)
                if WORD in said:
                    word.set()
        except libvirt.libvirtError:
            return

    try:
        domain = connection.createXML(xml, libvirt.VIR_DOMAIN_START_PAUSED | libvirt.VIR_DOMAIN_START_AUTODESTROY)
    except libvirt.libvirtError as error:
        return Boot(problem=_first_line(error), started=False)
    cpu = 0.0
    try:
        stream = connection.newStream(0)
        domain.openConsole(None, stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
        thread = threading.Thread(target=listen, args=(stream,), name="probe-console", daemon=True)
        thread.start()
        start = time.monotonic()
        domain.resume()
        spoke = word.wait(limit)
        seconds = time.monotonic() - start
        if spoke:  # one that hangs is not asked for anything
            cpu = domain.info()[4] / 1e9
    except libvirt.libvirtError as error:
        return Boot(problem=_first_line(error))
    finally:
        try:
            domain.destroy()
        except libvirt.libvirtError:
            spoke = word.is_set()  # it has ended by itself
    thread.join(5)
    if not spoke:
        last = bytes(said).decode("ascii", "replace").strip().rpartition("\n")[2].strip()
        return Boot(problem=f"the guest hangs (after {last!r})" if last else "the guest hangs before it says anything")
    return Boot(seconds, cpu=cpu)


def _first_line(error: Exception) -> str:
    """What libvirt says, or where it only passes on what QEMU said, that."""
    line = str(error).strip().splitlines()[0]
    return re.sub(r"^.*?\bqemu-system-[^:]+: (error: )?", "QEMU: ", line)


def probe(connection: Any) -> Probe:
    """Run the guest with KVM, and where that does not do well, under emulation. On other architectures than x86 the host is believed."""
    if connection.getInfo()[0] != "x86_64":
        return Probe("kvm" if "<domain type='kvm'" in connection.getCapabilities() else "qemu", reason="not probed: no x86 host")
    accelerated = boot(connection, "kvm")
    if not accelerated.problem and accelerated.seconds <= AT_ONCE_SECONDS:
        return Probe("kvm", accelerated.seconds)
    emulated = boot(connection, "qemu", EMULATED_SECONDS)
    if not accelerated.problem and (not emulated.started or _helps(accelerated, emulated)):
        return Probe("kvm", accelerated.seconds)
    if emulated.problem and (accelerated.problem or emulated.started):
        return Probe("", reason=f"kvm: {accelerated.problem or f'slow ({accelerated.seconds:.1f} s)'}; emulation: {emulated.problem}")
    kvm, tcg = (f"{b.seconds:.1f} s, {b.cpu:.1f} of a processor" for b in (accelerated, emulated))
    return Probe("qemu", emulated.seconds, accelerated.problem or f"a guest is slower with KVM ({kvm}) than emulated ({tcg})")


def _helps(accelerated: Boot, emulated: Boot) -> bool:
    """Whether both ended and acceleration took less: of a processor, where the host tells that."""
    if emulated.problem:
        return False
    if accelerated.cpu and emulated.cpu:
        return accelerated.cpu <= CLEARLY * emulated.cpu
    return accelerated.seconds <= emulated.seconds


def probe_accelerator(connection: Any, folder: Path) -> Probe:
    """Probe now, and remember the result in ``folder``."""
    found = probe(connection)
    if found.accelerator:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "probe.json", json.dumps({**asdict(found), "ground": _ground(connection), "at": time.time()}))
    return found


def remembered(connection: Any, folder: Path) -> str:
    """``kvm`` or ``qemu``: as probed before in ``folder``, or probed now. The environment's STACKENGINE_ACCELERATOR wins over both."""
    given = os.environ.get("STACKENGINE_ACCELERATOR", "")
    if given:
        return given
    try:
        found = json.loads((folder / "probe.json").read_text())
        if found["ground"] == _ground(connection):
            return str(found["accelerator"])
    except (OSError, ValueError, KeyError):
        pass  # not probed yet, or by another version
    return probe_accelerator(connection, folder).accelerator or "qemu"


def _ground(connection: Any) -> list[Any]:
    """What a result depends on; on other ground it is probed anew."""
    identity = Path("/etc/machine-id")
    return [
        identity.read_text().strip() if identity.is_file() else "",
        os.getuid(),
        os.uname().release,
        connection.getVersion(),
        os.access("/dev/kvm", os.R_OK),
    ]
