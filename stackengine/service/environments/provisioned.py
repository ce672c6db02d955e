"""Disks on which the first boot of a server is done: kept under the hash of what that depends on, and started from by the next environment.

Such a disk is a cut of a server's root disk alone, taken right after an ``up`` that made the server, once cloud-init had finished. The next server of the
same inputs is the same instance to cloud-init, which then runs only what belongs to every boot, or not at all; keys, names and signals of its own come
by a service that is put on the disk (its script stands in the seed: ``resource_types.server.going_on``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from stackengine.hosts.images import ImageError
from stackengine.model.desired import Desired
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Attr, Literal
from stackengine.model.instance import Instance, Recorded
from stackengine.model.values import Unknown
from stackengine.planning.provisioned import HANDLE, PROPERTY, SERVER, Inputs, carried, inputs_of, with_disk
from stackengine.sdk import HostError
from stackengine.service.environments import cuts, renew, up
from stackengine.service.environments.park import still
from stackengine.service.session import Session
from stackengine.service.types import REFUSALS, Preview, ServiceError

FINISH_SECONDS = 600.0
LOOK_EVERY = 2.0
_ENDED = "[ -d /var/lib/cloud ] || exit 3; [ -d /run/systemd/system ] || exit 5; [ -e /var/lib/cloud/instance/boot-finished ] || exit 4"
_SEAL = r"""
mkdir -p /var/lib/stackengine
cat >/var/lib/stackengine/going-on <<'END'
#!/bin/sh
n=0; while seed=$(blkid -t LABEL=cidata -o device | head -n 1); [ -z "$seed" ] && [ $n -lt 50 ]; do sleep 0.2; n=$((n+1)); done
mkdir -p /run/stackengine-seed && mount -o ro "$seed" /run/stackengine-seed
if [ -f /run/stackengine-seed/going-on ]; then sh /run/stackengine-seed/going-on; else : >/run/stackengine-cloud-init; fi
umount /run/stackengine-seed
END
cat >/etc/systemd/system/stackengine-going-on.service <<'END'
[Unit]
Description=What this server has of its own
DefaultDependencies=no
After=systemd-remount-fs.service systemd-udev-trigger.service
Before=cloud-init-local.service network-pre.target ssh.service sshd.service shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target
RequiresMountsFor=/var/lib/stackengine /root /home
[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=120
ExecStart=/bin/sh /var/lib/stackengine/going-on
[Install]
WantedBy=sysinit.target
END
cat >/etc/systemd/system/stackengine-signals.service <<'END'
[Unit]
Description=The signals of the first boot, sent again for this server
DefaultDependencies=no
After=multi-user.target network-online.target
Conflicts=shutdown.target
Before=shutdown.target
ConditionPathExists=/var/lib/stackengine/signals
[Service]
Type=oneshot
ExecStart=/var/lib/stackengine/signals
[Install]
WantedBy=multi-user.target
END
for stage in cloud-init-local cloud-init cloud-config cloud-final; do
  mkdir -p /etc/systemd/system/$stage.service.d
  printf '[Service]\nExecCondition=/usr/bin/test -e /run/stackengine-cloud-init\n' >/etc/systemd/system/$stage.service.d/stackengine.conf
done
systemctl enable -q stackengine-going-on stackengine-signals || exit 6
printf 'updates:\n  network:\n    when: [boot, boot-new-instance]\n' >/etc/cloud/cloud.cfg.d/99_stackengine_provisioned.cfg
cp -p /etc/machine-id /run/stackengine-machine-id && : >/etc/machine-id; rm -f /var/lib/systemd/random-seed; sync
"""
_GO_ON = "[ -s /etc/machine-id ] || cat /run/stackengine-machine-id >/etc/machine-id"
_SAID = {3: "it has no cloud-init", 4: "cloud-init did not finish", 5: "it has no systemd"}


@dataclass(frozen=True, slots=True)
class Starts:
    """Says which servers start from a disk of the repository's own; ``Request.shaped`` of an ``up``."""

    repository: str
    wanted: bool
    """Whether new servers do; those that are there keep what they stand on in any case."""

    def __call__(self, session: Session, desired: Desired, recorded: Recorded, diagnostics: Diagnostics) -> Desired:
        """``desired`` with the disks, L142 for each and L143 for each server that starts cold, with the reason."""
        found = carried(desired, recorded, self.repository)
        if not self.wanted:
            return found
        known = {d["key"]: (cut, d) for cut in cuts.disks(session) for d in cut.data["disks"]}
        there, resources = {i.path for i in recorded.instances.values()}, dict(found.resources)
        for path, resource in found.resources.items():
            if resource.type != SERVER or resource.external_id is not None or PROPERTY in resource.properties:
                continue
            inputs, mark = inputs_of(resource, desired, self.repository), resource.mark_of()
            reason = inputs if isinstance(inputs, str) else _has_no_disk(session, inputs) or ("" if inputs.key in known else "no such disk is kept yet")
            if reason:
                if path not in there:
                    diagnostics.notice("L143", f"{path} starts cold: {reason}", mark)
                continue
            assert isinstance(inputs, Inputs)
            cut, disk = known[inputs.key]
            replay = [{"url": Unknown(Attr(s["handle"], (Literal("url"),))), "body": s["body"]} for s in disk["signals"]]
            said = {k: disk[k] for k in ("key", "size", "image", "instance", "ssh_keys", "nics")}
            wanted = {**said, "repository": self.repository, "cut": cut.id, "path": str(cut.folder / disk["disk"]), "replay": replay}
            resources[path] = with_disk(resource, wanted)
            when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(float(cut.data["made_at"])))
            diagnostics.notice("L142", f"{path} starts from a disk on which its first boot is done (of {cut.parent}, {when} UTC)", mark)
        return replace(found, resources=resources)


def _has_no_disk(session: Session, inputs: Inputs) -> str:
    try:
        return "" if "disk" in session.images.lookup(inputs.source).sources else f"the image {inputs.source} has no disk"
    except ImageError as error:
        return str(error)


def cuts_of(desired: Desired) -> tuple[str, ...]:
    """The cuts that servers of ``desired`` start from."""
    return tuple(sorted({str(d["cut"]) for r in desired.resources.values() if (d := _disk_of(r.properties)) is not None}))


def _disk_of(properties: Any) -> dict[str, Any] | None:
    found = properties.get(PROPERTY)
    return found if isinstance(found, dict) else None


def hold(session: Session, desired: Desired, change: Callable[[tuple[str, ...]], None]) -> None:
    """Have an environment hold what its servers will start from; ServiceError where that went meanwhile."""
    wanted = cuts_of(desired)
    if not wanted:
        return
    with cuts.sweeping(session):
        known = {c.id: c for c in cuts.disks(session)}
        gone = [c for c in wanted if c not in known]
        if gone:
            raise ServiceError("a disk that a server was to start from was deleted just now", hint="run the command again")
        change(tuple(dict.fromkeys([*wanted, *(b for c in wanted for b in known[c].data["stands_on"])])))


def keep(session: Session, preview: Preview, wanted: up.Wanted, tell: Callable[[str], None]) -> list[str]:
    """Keep the disks of servers that this ``up`` has made cold; their paths. What cannot be kept is told, and is no failure."""
    made = {a.instance.id for a in preview.plan.actions.values() if a.verb == "create" and not a.finishes}
    row = session.store.stack(preview.stack)
    if row is None or cuts.why_not(session, up.find(session, row.name)):
        return []
    recorded = session.store.recorded(row.id)
    by_path = recorded.by_path()
    known = {d["key"] for cut in cuts.disks(session) for d in cut.data["disks"]}
    asked: dict[str, tuple[Instance, Inputs]] = {}
    for path, resource in preview.desired.resources.items():
        inputs = inputs_of(resource, preview.desired, wanted.origin.repository) if resource.type == SERVER else ""
        instance = next((i for i in by_path.get(path, ()) if i.id in made and PROPERTY not in i.properties), None)
        if instance is not None and isinstance(inputs, Inputs) and not _has_no_disk(session, inputs) and inputs.key not in known:
            asked.setdefault(inputs.key, (instance, inputs))
    try:
        return _take(session, up.find(session, row.name), list(asked.values()), recorded, tell) if asked else []
    except (HostError, *REFUSALS) as error:
        tell(f"the disks of {row.name} are not kept: {error}")
        return []


def _take(session: Session, found: up.Environment, asked: list[tuple[Instance, Inputs]], recorded: Recorded, tell: Callable[[str], None]) -> list[str]:
    host: Any = session.host(found.row.host)
    ready = []
    for instance, inputs in asked:
        code = _sealed(host, str(instance.identity["uuid"]))
        if code == 0:
            ready.append((instance, inputs))
        else:
            tell(f"the disk of {instance.path} is not kept: {_SAID.get(code, f'its preparation failed ({code})')}")
    if not ready:
        return []
    id_ = cuts.fresh_id()
    folder = cuts.root(session) / id_
    try:
        with still(session, found.row), cuts.sweeping(session):
            row = session.store.stack_of(found.row.id)
            cuts.make_folder(folder)
            life = up.change(session, row, lambda x: replace(x, cuts=(*x.cuts, id_)))
            frozen = {g.uuid: g for g in host.disks_frozen([str(i.identity["uuid"]) for i, _ in ready], folder, "vda")}
            disks = [_data(i, n, frozen[str(i.identity["uuid"])].disks[0], recorded) for i, n in ready]
            data = {
                "format": 1, "name": row.name, "stack": row.id, "host": row.host, "kept": False, "made_at": time.time(), "pause": 0.0, "commit": life.commit,
                "repository": life.repository, "stands_on": [c for c in life.cuts if c != id_], "disks": disks,
            }  # fmt: skip
            cuts.write(folder / cuts.STATE, data)
    finally:
        for instance, _ in ready:
            renew.run(host, str(instance.identity["uuid"]), _GO_ON)
    return [i.path for i, _ in ready]


def _sealed(host: Any, uuid: str) -> int:
    """Wait until cloud-init has finished, and prepare the guest's disk; 0, or what was in the way."""
    end = time.monotonic() + FINISH_SECONDS
    while (code := int(renew.run(host, uuid, _ENDED)["exitcode"])) == 4 and time.monotonic() < end:
        time.sleep(LOOK_EVERY)
    return code or int(renew.run(host, uuid, _SEAL)["exitcode"])


def _data(instance: Instance, inputs: Inputs, frozen: Any, recorded: Recorded) -> dict[str, Any]:
    """What is known of one disk: the image below it, the instance that it is to cloud-init, and the signals of its first boot."""
    images_below = [i for i in recorded.instances.values() if i.physical_id == instance.properties.get("image")]
    handles = {i.path: i for i in recorded.instances.values() if i.type == HANDLE}
    signals = [
        {"handle": path, "body": {k: s[k] for k in ("status", "reason", "data", "id")}}
        for path in inputs.handles if path in handles
        for s in recorded.signals.get(handles[path].physical_id, ())
    ]  # fmt: skip
    return {
        "key": inputs.key, "path": instance.path, "disk": frozen.name, "size": frozen.size, "image": str(images_below[0].attributes["path"]),
        "instance": str(instance.identity["uuid"]), "ssh_keys": list(instance.properties.get("ssh_keys") or ()), "signals": signals,
        "nics": instance.identity["nics"],
    }  # fmt: skip
