"""Servers start from disks on which their first boot is done, where nothing else can have gone into it; the plan says which do, and why the others do not."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from stackengine import service
from stackengine.planning.provisioned import PROPERTY, Inputs, inputs_of
from stackengine.sdk import volume_xml
from stackengine.service import stacks
from stackengine.service.environments import cuts, provisioned
from stackengine.service.session import Session
from stackengine.service.types import Preview, Request, Settings

pytestmark = pytest.mark.thorough

TEMPLATE = """heat_template_version: 2018-08-31
parameters:
  word: {type: string, default: hello}
  hidden: {type: string, hidden: true, default: s3cret}
resources:
  net: {type: 'SE::Network', properties: {cidr: auto}}
  served: {type: 'SE::WaitConditionHandle', properties: {triggers: {get_param: word}}}
  disk: {type: 'SE::Volume', properties: {size: 1}}
  web:
    type: SE::Server
    properties:
      image: %s
      memory: 384
      networks: [{network: {get_resource: net}}]
      %s
      user_data:
        str_replace:
          params: {$word: {get_param: %s}, $signal: {get_attr: [%s]}}
          template: "#cloud-config\\nruncmd: [echo $word, $signal]\\n"
"""


def template(image: str = "debian-12-lab", more: str = "", word: str = "word", signal: str = "served, curl_cli") -> str:
    return TEMPLATE % (image, more, word, signal)


class Room:
    """A memory host, and a kept disk of the server ``web`` of the stack ``first``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def session(self) -> Session:
        return service.open(Settings(str(self.folder / "state"), "memory://"))

    def plan(self, session: Session, name: str, text: str, *, wanted: bool = True, repository: str = "git/shop", **parameters: Any) -> Preview:
        (self.folder / "stack.yaml").write_text(text)
        shaped = provisioned.Starts(repository, wanted)
        return stacks.preview(session, Request(name, self.folder / "stack.yaml", parameters, shaped=shaped))

    def keep(self, session: Session, preview: Preview) -> cuts.Cut:
        """What ``provisioned.keep`` writes on a host that can cut."""
        recorded = session.store.recorded(preview.prepared.stack.id)
        (web,) = recorded.of("web")
        inputs = inputs_of(preview.desired.resources["web"], preview.desired, "git/shop")
        assert isinstance(inputs, Inputs)

        class Frozen:
            name, size = session.host("memory://").volume_create("default", volume_xml("kept.qcow2", 3 << 30, "qcow2")).path, 3 << 30
            # whole path: a simulated host has no files in the cut's folder

        folder = cuts.root(session) / cuts.fresh_id()
        cuts.make_folder(folder)
        data = {"name": "first", "stack": "x", "kept": False, "made_at": time.time(), "pause": 0.0, "stands_on": []}
        cuts.write(folder / cuts.STATE, {**data, "disks": [provisioned._data(web, inputs, Frozen(), recorded)]})
        return cuts.disks(session)[-1]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def told(preview: Preview) -> list[tuple[str, str]]:
    return [(d.code, d.summary) for d in preview.diagnostics if d.code in ("L142", "L143")]


def seed(session: Session, name: str) -> str:
    host: Any = session.host("memory://")
    (file,) = [v for v in host.volume_names("default") if v.startswith(f"se-{name}-web") and "-seed-" in v and v.endswith(".iso")]
    return host.volume_download("default", file, 1 << 20).decode("utf-8", "replace")


def hook(content: str) -> str:
    """The script ``going-on`` of a seed."""
    start = content.index("#!/bin/sh\n")
    return content[start : content.index("echo $me >$mark\n", start)] + "echo $me >$mark\n"


def test_the_second_of_the_same_inputs_starts_from_the_first_ones_disk(room: Room) -> None:
    with room.session() as session:
        first = room.plan(session, "first", template())
        assert told(first) == [("L143", "web starts cold: no such disk is kept yet")]
        assert stacks.carry_out(session, first).status == "complete"
        cut = room.keep(session, first)
        uuid = next(session.store.recorded(first.prepared.stack.id).of("web")).identity["uuid"]

        second = room.plan(session, "second", template())
        ((code, said),) = told(second)
        assert (code, said.startswith("web starts from a disk on which its first boot is done (of first")) == ("L142", True)
        assert provisioned.cuts_of(second.desired) == (cut.id,)
        assert stacks.carry_out(session, second).status == "complete"
        (root,) = [v for v in session.host("memory://").volume_list("default") if v.name.startswith("se-second-web") and v.name.endswith("root.qcow2")]
        assert (root.backing, root.capacity) == (str(cut.folder / cut.data["disks"][0]["disk"]), 3 << 30)
        content = seed(session, "second")
        assert f'"instance-id": "{uuid}"' in content
        subprocess.run(["sh", "-n"], input=hook(content), text=True, check=True)

        again = room.plan(session, "second", template(), wanted=False)
        assert again.plan.empty, "it stands on what it was started from, whoever asks"
        plain = stacks.preview(session, Request("second", room.folder / "stack.yaml"))
        assert plain.plan.empty
        other = room.plan(session, "second", template(), word="bye")
        assert PROPERTY not in other.desired.resources["web"].properties
        assert other.plan.replaced() == {"web", "served"}


WAITS = "  ready: {type: 'OS::Heat::WaitCondition', depends_on: web, properties: {handle: {get_resource: served}, timeout: 60}}\n"


def test_signals_of_the_first_boot_go_to_the_new_stacks_own_handle(room: Room) -> None:
    with room.session() as session:
        first = room.plan(session, "first", template() + WAITS)
        assert stacks.carry_out(session, first).status == "complete"
        cut = room.keep(session, first)
        (signal,) = cut.data["disks"][0]["signals"]
        assert (signal["handle"], signal["body"]["status"]) == ("served", "SUCCESS")
        disk = {**cut.data["disks"][0], "signals": [{"handle": "served", "body": {**signal["body"], "data": "it's up"}}]}
        cuts.write(cut.folder / cuts.STATE, {**cut.data, "disks": [disk]})
        second = room.plan(session, "second", template() + WAITS)
        assert stacks.carry_out(session, second).status == "complete"
        recorded = session.store.recorded(second.prepared.stack.id)
        (handle,), (web,) = recorded.of("served"), recorded.of("web")
        assert web.properties[PROPERTY]["replay"][0]["url"] == handle.identity["url"]
        script = hook(seed(session, "second"))
        assert str(handle.identity["url"]) in script
        assert r"it\'s up" in script
        compile(script.partition("#!/usr/bin/python3")[2].partition("SIGNALS")[0], "signals", "exec")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (template("tiny"), "the image tiny has no disk"),
        (template(more="volumes: [{volume: {get_resource: disk}}]"), "it has volumes of its own"),
        (template(word="hidden"), "its user data holds a secret"),
        (template(signal="net, gateway"), "its first boot depends on what is made of net"),
        (template(more="user_data_update: reboot"), "its user data may run more than once"),
        (template().replace("{get_param: word}}}\n  disk", "{get_param: word}, transport: channel}}\n  disk"), "it signals to served over a channel"),
    ],
)
def test_why_a_server_starts_cold_is_told(room: Room, text: str, reason: str) -> None:
    with room.session() as session:
        assert told(room.plan(session, "first", text)) == [("L143", f"web starts cold: {reason}")]


def test_what_goes_into_the_hash_and_what_does_not(room: Room) -> None:
    def key(name: str, text: str, repository: str = "git/shop", **parameters: Any) -> str:
        with room.session() as session:
            found = inputs_of((p := room.plan(session, name, text, **parameters)).desired.resources["web"], p.desired, repository)
            assert isinstance(found, Inputs)
            return found.key

    same = key("first", template())
    assert key("second", "# moved down by a line\n" + template()) == same
    others = {key("a", template(), word="bye"), key("a", template("debian-12")), key("a", template(more="disk: 3")), key("a", template(), "git/other")}
    assert len(others | {same}) == 5


@pytest.mark.parametrize(
    ("user_data", "every_boot"),
    [
        ("", False),
        ("#!/bin/sh\necho x\n", False),
        ("#cloud-config\n{}\n", False),
        ("#cloud-config\nruncmd: [echo]\npackages: [git]\n", False),
        ("#cloud-config\nbootcmd: [echo]\n", True),
        ("#cloud-config\nmounts: []\n", True),
        ("#cloud-config\nhostname: said\n", True),
        ("#cloud-config\n[no, map]\n", True),
        ("#cloud-config\n{\n", True),
        ("#cloud-boothook\n#!/bin/sh\n", True),
        ("#include\nhttp://x/y\n", True),
        ("Content-Type: multipart/mixed\n", True),
    ],
)
def test_cloud_init_starts_only_where_it_has_something_to_do(user_data: str, every_boot: bool) -> None:
    from resource_types.server.going_on import going_on, runs_at_every_boot

    assert runs_at_every_boot(user_data) == every_boot
    nic = {"mac": "52:54:00:00:00:01", "dhcp": True, "address": "10.0.0.5", "prefix": 24, "gateway": "10.0.0.1"}
    identity = {"uuid": "u", "hostname": "web", "nics": [{**nic, "mac": "52:54:00:00:00:02"}]}
    below = {"instance": "old", "ssh_keys": ["ssh-ed25519 AAA old"], "replay": [], "nics": [nic]}
    files = going_on(identity, user_data, ["ssh-ed25519 BBB new"], below, "root")
    assert files["user-data"] == (user_data or "#cloud-config\n{}\n")
    assert files["going-on"].startswith("#!/bin/sh\n: >/run/stackengine-cloud-init\n") == every_boot
    other = going_on({**identity, "nics": [{**nic, "dhcp": False}]}, user_data, [], below, "root")
    assert other["going-on"].startswith("#!/bin/sh\n: >/run/stackengine-cloud-init\n"), "its network is another one"
    assert "[ -e /run/stackengine-cloud-init ] || { hostname web" in files["going-on"], "where cloud-init runs, the host name is its business"
    subprocess.run(["sh", "-n"], input=files["going-on"], text=True, check=True)


def test_what_is_put_on_a_disk_is_a_script() -> None:
    subprocess.run(["sh", "-n"], input=provisioned._SEAL, text=True, check=True)


def test_disks_that_nobody_stands_on_are_kept_for_a_while(room: Room) -> None:
    with room.session() as session:
        first = room.plan(session, "first", template())
        stacks.carry_out(session, first)
        cut = room.keep(session, first)
        assert cuts.sweep(session) == []
        assert cuts.ls(session) == [], "nothing that could be forked"
        cuts.write(cut.folder / cuts.STATE, {**cut.data, "made_at": time.time() - cuts.DISK_SECONDS - 1})
        assert cuts.sweep(session) == [cut.id]
        second = room.plan(session, "second", template())
        assert told(second) == [("L143", "web starts cold: no such disk is kept yet")]
