"""libvirt's error numbers (virErrorNumber) as kinds of HostError, with what to do about the usual ones."""

from __future__ import annotations

import libvirt

from stackengine.sdk import AgentError, ExistsError, HostError, NotFoundError, RefusedError, TransientError, UnreachableError, UnsupportedError

_NOT_FOUND = {42, 43, 49, 50, 62, 66, 72, 99}
"""NO_DOMAIN, NO_NETWORK, NO_STORAGE_POOL, NO_STORAGE_VOL, NO_NWFILTER, NO_SECRET, NO_DOMAIN_SNAPSHOT, DEVICE_MISSING: only these mean gone."""
_EXISTS = {78, 90}
"""NETWORK_EXIST (unused by some drivers), STORAGE_VOL_EXIST."""
_TRANSIENT = {68}
"""OPERATION_TIMEOUT (a state change lock that is held)."""
_UNREACHABLE = {38, 39, 40}
_AGENT = {86, 112, 113}
"""AGENT_UNRESPONSIVE, AGENT_UNSYNCED, AGENT_COMMAND_TIMEOUT."""
_UNSUPPORTED = {3, 84}
"""NO_SUPPORT, OPERATION_UNSUPPORTED."""
_UNMEASURED = "unable to get accurate cpu usage"
"""qemu-img measures how dear a passphrase's hash is, and on a busy machine cannot (crypto/pbkdf.c)."""
_GOING = "libxl_domain_info failed for domain"
"""libxl looked a guest up while its host was letting go of it (libxl_driver.c, libxlDomainGetInfo): the next look finds it shut off, or not at all."""
_HINTS = (
    ("permission denied", "the QEMU process may not read this file: check owner, mode, and AppArmor or SELinux"),
    ("apparmor", "AppArmor denies it: see 'stack-run hosts doctor'"),
    ("cannot allocate memory", "the host has not enough memory for this guest"),
    ("no space left", "the storage pool is full"),
    ("already in use by interface", "another network has this subnet: leave the CIDR out, and a free one is chosen"),
    ("unsupported machine type", "the host does not know this machine type"),
    ("could not open '/dev/kvm'", "see 'stack-run hosts doctor': the accelerator does not work"),
)


def translate(error: libvirt.libvirtError, host: str, call: str) -> HostError:
    """The HostError of a libvirt error."""
    code, message = error.get_error_code() or 0, error.get_error_message() or str(error)
    hint = next((h for text, h in _HINTS if text in message.lower()), "")
    return _kind(code, message)(message, code=code, host=host, call=call, hint=hint)


def _kind(code: int, message: str) -> type[HostError]:
    lower = message.lower()
    if code in _NOT_FOUND:
        return NotFoundError
    if code in _EXISTS or "already exists" in lower or "exists already" in lower:
        return ExistsError
    if code in _TRANSIENT or "has asynchronous jobs running" in lower or "cannot acquire state change lock" in lower or _UNMEASURED in lower:
        return TransientError
    if _GOING in lower:
        return TransientError
    if code in _AGENT:
        return AgentError
    if code in _UNSUPPORTED:
        return UnsupportedError
    if "client socket is closed" in lower or "keepalive" in lower or "end of file while reading data" in lower or "broken pipe" in lower:
        return UnreachableError
    if code in _UNREACHABLE and ("connect" in lower or "socket" in lower):
        return UnreachableError
    return RefusedError
