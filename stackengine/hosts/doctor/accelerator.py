"""Which accelerator really runs a guest: only running one tells. Neither the device node nor libvirt's capabilities are believed."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from stackengine.hosts.private.packages import which

KVM_SECONDS = 6.0
"""A guest that runs under KVM says its word within milliseconds; one that hangs never does."""
WORD = b"stackengine"


def boot_sector() -> bytes:
    """A guest of 512 bytes: counts in a loop with memory accesses for a while, writes a word to the first serial port, then powers off by reset."""
    code = bytearray()
    code += bytes.fromhex("fa31c08ed88ec08ed0bc007c")  # cli; xor ax,ax; mov ds,es,ss,ax; mov sp,0x7c00
    code += bytes.fromhex("66b900000400")  # mov ecx, 0x40000
    code += bytes.fromhex("66ff0600056649 75f7".replace(" ", ""))  # loop: inc dword [0x500]; dec ecx; jnz loop
    for letter in WORD + b"\n":
        code += bytes([0xBA, 0xF8, 0x03, 0xB0, letter, 0xEE])  # mov dx, 0x3f8; mov al, letter; out dx, al
    code += bytes.fromhex("bafe00b0feba6400ee")  # mov al, 0xfe; mov dx, 0x64; out: reset through the keyboard controller
    code += bytes.fromhex("f4ebfd")  # hlt; jmp hlt
    return bytes(code).ljust(510, b"\0") + b"\x55\xaa"


def runs(accelerator: str, seconds: float) -> bool:
    """Whether the smallest guest says its word under this accelerator within ``seconds``."""
    program = which("qemu-system-x86_64")
    if program is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        disk, out = Path(folder) / "boot.img", Path(folder) / "serial"
        disk.write_bytes(boot_sector())
        command = [
            program, "-nodefaults", "-machine", "pc", "-accel", accelerator, "-m", "16", "-display", "none", "-no-reboot",
            "-drive", f"file={disk},format=raw,if=ide", "-serial", f"file:{out}",
        ]  # fmt: skip
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                if out.exists() and WORD in out.read_bytes():
                    return True
                if process.poll() is not None:
                    return out.exists() and WORD in out.read_bytes()
                time.sleep(0.05)
            return False
        finally:
            process.kill()
            process.wait()


def probe() -> str:
    """``kvm`` when a guest ran under it and not slower than under emulation, else ``qemu``.

    Where KVM is there but every exit is emulated (a machine within a machine), small guests crawl and ordinary ones hang.
    """
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "qemu"
    start = time.monotonic()
    runs("tcg", KVM_SECONDS)
    emulated = time.monotonic() - start
    start = time.monotonic()
    ran = runs("kvm", KVM_SECONDS)
    return "kvm" if ran and time.monotonic() - start <= 2 * emulated + 0.5 else "qemu"


def remembered(folder: Path) -> str:
    """The accelerator as probed before for this folder; probed now when it was not. STACKENGINE_ACCELERATOR wins."""
    given = os.environ.get("STACKENGINE_ACCELERATOR", "")
    if given:
        return given
    file = folder / "probe.json"
    if file.is_file():
        return str(json.loads(file.read_text())["accelerator"])
    found = probe()
    remember(folder, found)
    return found


def remember(folder: Path, accelerator: str) -> None:
    """Keep the result."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "probe.json").write_text(json.dumps({"accelerator": accelerator, "at": time.time()}))
