"""What is wrong with a server before anything runs: rules between its properties, and what a host cannot do."""

from __future__ import annotations

from dataclasses import replace

from stackengine import sdk

from . import cfn_init, ec2, hardware, overlay
from .filters import FEATURE
from .seed import is_ignition, kind_of
from .shapes import shape_of
from .sizes import maxima, unknown_flavor

_GATES = {"lease": "leases", "agent": "agent", "cloud-init": "agent"}
"""The feature that a host must have for a gate."""


def broken_rules(want: sdk.Properties) -> list[sdk.Refusal]:
    """Rules that hold on every host."""
    found = []
    boots = [v for v in sdk.known_list(want.get("volumes")) if isinstance(v, dict) and v.get("boot")]
    if not want.get("image") and not boots and not want.get("cdrom") and not want.get("boot"):
        found.append(sdk.Refusal("", "a server needs an image, or a volume to boot from", "image: tiny is the smallest; boot: network needs none"))
    if want.get("boot") and want.get("networks") == []:
        found.append(sdk.Refusal("boot", "a server without networks does not boot from one", "networks: an entry with the network that has boot_file"))
    if boots and want.get("image"):
        found.append(sdk.Refusal("volumes", "a server boots from its image or from a volume, not from both", "leave image out"))
    if len(boots) > 1:
        found.append(sdk.Refusal("volumes", "a server boots from one volume"))
    wrong = unknown_flavor(want)
    if wrong is not None:  # the host's flavors decide in the end: refused in the plan
        found.append(replace(wrong, severity="warning"))
    found += _groups(want)
    key = want.get("key_name")
    if isinstance(key, str) and key:
        text = f"no key pair {key} in this template: the stack's own keys are used"
        found.append(sdk.Refusal("key_name", text, "make it by SE::KeyPair, or name public keys in ssh_keys", "notice"))
    found += [sdk.Refusal("init", why) for why in cfn_init.faults(want.get("init"))]
    data = want.get("user_data")
    if want.get("seed") == "ignition" and (data is None or (isinstance(data, str) and not is_ignition(data))):
        found.append(sdk.Refusal("seed", "Ignition reads its config in user_data", 'user_data: {"ignition": {"version": "3.4.0"}, …}'))
    if kind_of(want) == "ignition" and (want.get("ssh_keys") or want.get("key_name")) and isinstance(data, str) and "sshAuthorizedKeys" not in data:
        text = "Ignition takes keys of its config only"
        found.append(sdk.Refusal("user_data", text, "passwd: {users: [{name: core, sshAuthorizedKeys: […]}]}", "notice"))
    ready = want.get("ready")
    if isinstance(ready, dict) and ready.get("gate") == "signal" and not ready.get("handle") and kind_of(want) == "ignition":
        found.append(sdk.Refusal("ready", "Ignition brings no cfn-signal to the guest", "handle: a reference to an SE::WaitConditionHandle"))
    return [*found, *maxima(want), *hardware.broken(want), *overlay.refusals(want)]


def _groups(want: sdk.Properties) -> list[sdk.Refusal]:
    """Groups that are not the stack's, and groups beside a port."""
    entries = [(f"networks.{n}.security_groups", e) for n, e in enumerate(sdk.known_list(want.get("networks"))) if isinstance(e, dict)]
    text, hint = "a port has its groups itself: these filter nothing", "say them at the port"
    found = [sdk.Refusal(at, text, hint) for at, e in entries if e.get("port") is not None and e.get("security_groups") is not None]
    for at, said in (("security_groups", want), *entries):
        why = [f"no security group {g} in this template: it filters nothing" for g in sdk.known_list(said.get("security_groups")) if isinstance(g, str)]
        found += [sdk.Refusal(at, text, "make it there, by SE::SecurityGroup", "warning") for text in why]
    return found


def refusals(want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
    """What this host would refuse or silently ignore."""
    wrong = unknown_flavor(want)
    found = [wrong] if wrong is not None else []
    ready = want.get("ready")
    kind = ready.get("gate", "running") if isinstance(ready, dict) else "running"
    needed = _GATES.get(kind)
    if needed and needed not in profile.features:
        found.append(sdk.Refusal("ready", f"this host cannot tell when the gate '{kind}' has come", "use running, or a signal"))
    found += _signals(ready, profile)
    if kind_of(want) == "ignition" and profile.domain_type not in ("qemu", "kvm"):
        found.append(sdk.Refusal("seed", "only QEMU gives an Ignition config to its guests", "seed: config-drive, if the image reads it"))
    if FEATURE not in profile.features and want.get("networks") != [] and want.get("anti_spoofing") is not False:
        text = "this host has no packet filters: nothing stops a guest that sends from somebody else's address"
        found.append(sdk.Refusal("anti_spoofing", text, "anti_spoofing: false says that it is meant so", "notice"))
    asked = want.get("metadata_service")
    if isinstance(asked, dict) and sdk.known(asked.get("enabled"), True) is not False and ec2.FEATURE not in profile.features:
        text = "this host has no metadata service: its guests read their seed"
        found.append(sdk.Refusal("metadata_service", text, "a private host has one: --host private://NAME", "notice"))
    if kind == "tcp" and not profile.local:
        found.append(sdk.Refusal("ready", "the gate 'tcp' needs a host on this machine", "use lease, agent or a signal"))
    found += [*maxima(want), *hardware.broken(want), *hardware.refused(want, profile)]  # with what flavor and image say of the machine
    found += shape_of(profile).refused(want)
    mode = want.get("vm_mode")
    if mode and not ({mode} if isinstance(mode, str) else {"pv", "pvh", "hvm"}) & profile.features:
        found.append(sdk.Refusal("vm_mode", f"this host has no guests of the kind {mode}", "leave it out: the image decides"))
    if want.get("power") == "suspended" and "save" not in profile.features:
        found.append(sdk.Refusal("power", "this host cannot save the memory of guests", "power: stopped"))
    if "upload" not in profile.features:
        found.append(sdk.Refusal("user_data", "this host takes no uploads, so the guest would get no seed"))
    return found


def _signals(ready: object, profile: sdk.Profile) -> list[sdk.Refusal]:
    """How the signals of a guest that speaks for itself come from this host."""
    if not isinstance(ready, dict) or ready.get("gate") != "signal" or ready.get("handle") or "signals-http" in profile.features:
        return []
    if {"channel", "signals-console"} & profile.features:
        return [sdk.Refusal("ready", "guests of this host signal by stack-signal, which their image must have: not by HTTP", severity="notice")]
    return [sdk.Refusal("ready", "no signals come from this host's guests", "ready: {gate: running}")]
