"""(f) Branch environments of real guests: three tiers, started cold, from disks with a first boot done, and as forks; resets; many at once.

The parts run one after the other in one state folder, so that what is compared was measured in one run.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from bench.table import Row, Section
from stackengine import service
from stackengine.cli.main import main
from stackengine.hosts import private
from stackengine.service import stacks
from stackengine.service.access import servers_of
from stackengine.service.environments import cuts, renew, up
from stackengine.service.types import Settings

REPOSITORY = "git.example/shop"
TEMPLATE = """heat_template_version: 2018-08-31
parameters:
  image: {type: string}
  memory: {type: number}
resources:
  net: {type: 'SE::Network', properties: {mode: nat, cidr: 10.80.0.0/24}}
TIERS
  page: {type: 'SE::PublishedPort', depends_on: web_ready, properties: {server: {get_resource: web}, target_port: 80}}
outputs:
  url: {value: {get_attr: [page, url]}}
"""
TIER = """
  NAME_served: {type: 'SE::WaitConditionHandle'}
  NAME_ready: {type: 'OS::Heat::WaitCondition', depends_on: NAME, properties: {handle: {get_resource: NAME_served}, timeout: 3000}}
  NAME:
    type: SE::Server
    AFTER
    properties:
      image: {get_param: image}
      memory: {get_param: memory}
      networks: [{network: {get_resource: net}}]
      shutdown_timeout: 0
      user_data:
        str_replace:
          params: {$signal: {get_attr: [NAME_served, signal]}, $curl: {get_attr: [NAME_served, curl_cli]}}
          template: |
            #!/bin/sh
            mkdir -p /srv; echo NAME >/srv/index.html
            if [ -d /run/systemd/system ]; then
              printf '[Service]\\nExecStart=/bin/busybox httpd -f -p 80 -h /srv\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/page.service
              systemctl enable --now page
              $curl --data-binary '{"status": "SUCCESS"}'
            else
              httpd -p 80 -h /srv
              (while :; do nc -l -p 7000 -e /bin/cat; done) >/dev/null 2>&1 &
              if [ NAME = web ]; then
                mkfifo /run/f
                (sleep 1; while :; do nc app 7000 </run/f >>/run/echo; echo LOST >>/run/echo; sleep 0.5; done) >/dev/null 2>&1 &
                (exec 3>/run/f; i=0; while :; do i=$((i+1)); echo $i >&3; sleep 0.1; done) >/dev/null 2>&1 &
              fi
              $signal SUCCESS
            fi
"""
HOW = (
    "Three servers, each started when the one before it serves, in a private host of their own; seconds from the command until the page answers. A fork's "
    "host is the one that is kept ready (`a host ready`). Cold starts include their host's."
)
MEMORY = {"tiny": 128, "debian-12-lab": 384}


def template(tiers: tuple[str, ...]) -> str:
    """Each tier starts when the one before it serves."""
    parts = []
    for before, name in zip(("", *tiers), tiers, strict=False):
        parts.append(TIER.replace("AFTER", f"depends_on: {before}_ready" if before else "depends_on: net").replace("NAME", name))
    return TEMPLATE.replace("TIERS", "".join(parts))


class Ground:
    """One state folder with the environments in it."""

    def __init__(self, folder: Path, image: str) -> None:
        self.folder, self.state, self.image = folder, folder / "state", image
        (folder / "three.yaml").write_text(template(("db", "app", "web")))
        (folder / "one.yaml").write_text(template(("web",)))

    def command(self, *words: str) -> None:
        """One command, in this process; its words are kept for the case that it fails."""
        said = StringIO()
        os.environ["STACKENGINE_STATE"] = str(self.state)
        with redirect_stdout(said), redirect_stderr(said):
            code = main(["env", *words])
        assert code == 0, (words, said.getvalue())

    def words(self, branch: str, file: str = "three", *more: str) -> list[str]:
        """The words of an ``up``."""
        given = ["--param", f"image={self.image}", "--param", f"memory={MEMORY[self.image]}"]
        return ["up", str(self.folder / f"{file}.yaml"), "--repo", REPOSITORY, "--branch", branch, "--commit", "1", *given, *more]

    def serving(self, branch: str, work: Callable[[], None]) -> float:
        """Seconds of ``work`` until the branch's page answers; what the command does after that (keeping disks) does not count."""
        start = time.time()
        work()
        with service.open(Settings(str(self.state))) as session:
            row = up.find(session, branch).row
            url = str(stacks.outputs(session, row.name)["url"].value)
            last = session.store.last_operation(row.id)
        ended = time.time()
        with urllib.request.urlopen(url, timeout=60) as page:
            assert page.read().strip() == b"web"
        up_at = last.finished_at if last is not None and last.started_at >= start and last.finished_at is not None else ended
        return up_at - start + (time.time() - ended)

    def fork(self, branch: str, *more: str) -> float:
        """Seconds of a fork of main that takes over the host that is kept ready."""
        private.ready.keep(self.state)
        return self.serving(branch, lambda: self.command("fork", "main", "--repo", REPOSITORY, "--branch", branch, *more))

    def echoed(self, branch: str) -> tuple[int, int]:
        """The last number that came back over the connection inside, and how often it broke."""
        with service.open(Settings(str(self.state))) as session:
            found = up.find(session, branch)
            uuid = next(str(i.identity["uuid"]) for i in servers_of(session, found.row) if i.path == "web")
            script = "tail -n 1 /run/echo; grep -c LOST /run/echo || true"
            done = renew.run(session.host(found.row.host), uuid, script)
        last, lost = base64.b64decode(done["out-data"]).decode().split()
        return int(last) if last.isdigit() else 0, int(lost)

    def layers(self, branch: str) -> int:
        """Bytes that an environment's own layers take."""
        with service.open(Settings(str(self.state))) as session:
            row = up.find(session, branch).row
            folder = Path(session.host(row.host).pool_info("default").path)  # type: ignore[union-attr]
        return sum(f.stat().st_blocks * 512 for f in folder.iterdir() if f.suffix == ".qcow2")

    def kept(self) -> int:
        """Bytes of the disks that were kept: what a server wrote before, below its own layer."""
        return sum(f.stat().st_blocks * 512 for f in (self.state / "cuts").glob("*/*-root.qcow2"))


@contextmanager
def ground(image: str) -> Iterator[Ground]:
    """A fresh one, and nothing of it afterwards."""
    folder, before = Path(tempfile.mkdtemp(prefix="se-branches-")), os.environ.get("STACKENGINE_STATE")
    made = Ground(folder, image)
    try:
        with service.open(Settings(str(made.state))) as session:
            session.images.describe(image)
        yield made
    finally:
        for name in list(private.names(made.state)):
            private.remove(name, made.state)
        private.ready.end(made.state)
        shutil.rmtree(folder, ignore_errors=True)
        if before is None:
            os.environ.pop("STACKENGINE_STATE", None)
        else:
            os.environ["STACKENGINE_STATE"] = before


def measure(quick: bool) -> Section:
    """All lines of this part."""
    with ground("tiny") as here:
        rows = of_image(here, 1 if quick else 2)
        if not quick:
            rows += at_once(here)
    return Section("(f) Branch environments of real guests", HOW, rows)


def of_image(here: Ground, runs: int) -> list[Row]:
    """Cold, provisioned, forked, reset; the parent's pause; what forks take."""
    debian = here.image != "tiny"
    start = here.words("main", "three", *(["--provisioned"] if debian else []))
    cold = [here.serving("main", lambda: here.command(*start))]
    cold += [here.serving(f"cold{n}", lambda n=n: here.command(*here.words(f"cold{n}"))) for n in range(1, runs)]  # type: ignore[misc]
    rows = [Row(f"{here.image}: cold", cold, unit="s")]
    alone = here.layers("main") + here.kept()
    if debian:
        provisioned = here.serving("again", lambda: here.command(*here.words("again", "three", "--provisioned")))
        rows += [Row(f"{here.image}: provisioned", [provisioned], unit="s"), Row(f"{here.image}: provisioned over cold", [provisioned / cold[0]], 0.6)]
        here.command("down", "again", "--repo", REPOSITORY)
    forked = [here.fork(f"fork{n}") for n in range(max(runs, 2))]
    with service.open(Settings(str(here.state))) as session:
        found = [c for c in cuts.ls(session) if c.parent.startswith("shop-main")]
    pauses = [c.pause for c in found]
    gib = 3 * MEMORY[here.image] / 1024
    rows += [
        Row(f"{here.image}: forked, a host ready", forked, unit="s"),
        Row(f"{here.image}: forked over cold", [f / cold[0] for f in forked], 0.1 if debian else 0.3),
        Row(f"{here.image}: the parent's pause", pauses, None if debian else 1.0, "s"),
        Row(f"{here.image}: the parent's pause per GiB of memory", [p / gib for p in pauses], unit="s"),
        Row(f"{here.image}: memory files of a cut over its guests", [len(list(c.folder.glob("*.memory"))) / 3 for c in found], 1.0),
    ]
    if not debian:
        rows.append(Row("a connection inside parent and fork: breaks", [goes_on(here)], 0.0, ""))
    here.command("freeze", "main", "--repo", REPOSITORY)
    resets = [here.serving("main", lambda: here.command("reset", "main", "--repo", REPOSITORY)) for _ in range(max(runs, 2))]
    rows += [Row(f"{here.image}: reset", resets, unit="s"), Row(f"{here.image}: reset over cold", [r / cold[0] for r in resets], 0.35)]
    if debian:
        for n in range(len(forked)):
            here.command("down", f"fork{n}", "--repo", REPOSITORY)
        rows.append(layers_of_ten(here, alone))
    here.command("reap", "--all")
    return rows


def goes_on(here: Ground) -> float:
    """How often the connection broke in the parent and in a fork, which both go on to count."""
    broke = 0
    for branch in ("main", "fork0"):
        first, _ = here.echoed(branch)
        time.sleep(2.0)
        last, lost = here.echoed(branch)
        broke += lost + (last <= first)
    return float(broke)


def layers_of_ten(here: Ground, alone: int) -> Row:
    """Ten forks of one cut beside ten cold environments, each of which takes as much as the first one did (``alone``, bytes)."""
    names = [f"ten{n}" for n in range(10)]
    for name in names:
        here.fork(name, "--frozen")
    return Row(f"{here.image}: layers of ten forks over those of ten cold ones", [sum(map(here.layers, names)) / (10 * alone)], 0.2)


def at_once(here: Ground) -> list[Row]:
    """Ten environments of one server each in the same moment, beside one."""
    alone = here.serving("alone", lambda: here.command(*here.words("alone", "one")))
    command = [sys.executable, "-m", "stackengine.cli.main", "env"]
    start = time.perf_counter()
    jobs = [subprocess.Popen([*command, *here.words(f"many{n}", "one")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for n in range(10)]
    assert [job.wait(1800) for job in jobs] == [0] * 10
    together = time.perf_counter() - start
    here.command("reap", "--all")
    return [Row("one server: one environment", [alone], unit="s"), Row("one server: ten environments at once over one", [together / alone])]
