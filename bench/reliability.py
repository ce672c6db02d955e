"""What goes wrong with others, tried here: ``python -m bench.reliability [--host private://NAME]`` writes ``bench/reliability.md``.

Each experiment says what the tools that were measured in the same laboratory did, and what happened here, on ``memory://`` and, where a host
is named, on real guests. An experiment that does not end as it should makes the run fail.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackengine.cli.main import main as stack_run
from stackengine.hosts import private
from stackengine.service.session import Session
from stackengine.service.types import Settings

HEAD = "heat_template_version: 2018-08-31\nresources:\n"
NET = "  net: {type: SE::Network, properties: {cidr: auto}}\n"
WEB = "  %s: {type: SE::Server, properties: {image: tiny, memory: %d, max_memory: 192, networks: [{network: {get_resource: net}}]}}\n"
VOLUME = "  data: {type: SE::Volume, properties: {size: %d}}\n"
WAIT = "  handle: {type: SE::WaitConditionHandle}\n"
WAIT += "  wait: {type: SE::WaitCondition, properties: {handle: {get_resource: handle}, timeout: %d}, depends_on: web}\n"


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is tried, what others did, and how it is tried here."""

    title: str
    others: str
    work: Callable[[Lab], str]


class Lab:
    """One state folder and one host."""

    def __init__(self, uri: str, folder: Path) -> None:
        self.uri, self.folder = uri, folder

    def run(self, *words: str, code: int | None = 0) -> tuple[int, list[dict[str, Any]], str]:
        """One command line; (exit code, documents, what it said)."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            found = stack_run([*words, "--state", str(self.folder), "--json"])
        if code is not None and found != code:
            raise AssertionError(f"stack-run {' '.join(words)} ended with {found}, not {code}: {out.getvalue()[-800:]}{err.getvalue()[-800:]}")
        return found, _documents(out.getvalue()), err.getvalue()

    def template(self, resources: str) -> str:
        """A template file."""
        file = self.folder / "lab.yaml"
        file.write_text(HEAD + resources)
        return str(file)

    def up(self, resources: str, *more: str, code: int | None = 0) -> tuple[int, list[dict[str, Any]], str]:
        """Bring the stack up."""
        return self.run("up", self.template(resources), "--name", "lab", "--host", self.uri, "--yes", *more, code=code)

    def session(self) -> contextlib.closing[Session]:
        """The store and the host, to look at and to meddle with."""
        return contextlib.closing(Session(Settings(str(self.folder), self.uri)))

    def uuid(self, path: str = "web") -> str:
        """The UUID of a server."""
        return next(str(r["physical_id"]) for r in self.run("show", "lab")[1][0]["resources"] if r["path"] == path)

    def sizes(self) -> list[int]:
        """GiB of the volumes that are there."""
        with self.session() as session:
            return [v.capacity >> 30 for v in session.host(self.uri).volume_list("default") if not v.name.endswith((".json", ".iso"))]

    def left(self) -> list[str]:
        """What of ours is on the host."""
        with self.session() as session:
            host = session.host(self.uri)
            names = [d.name for d in host.domain_list()] + [n.name for n in host.network_list()] + [v.name for v in host.volume_list("default")]
        return [n for n in names if n.startswith("se-")]

    def clear(self) -> None:
        """Take the stack down, if it is there; nothing of ours may stay."""
        self.run("down", "lab", "--yes", code=None)
        if self.left():
            raise AssertionError(f"left on {self.uri}: {', '.join(self.left())}")


def _documents(text: str) -> list[dict[str, Any]]:
    decoder, found, rest = json.JSONDecoder(), [], text.strip()
    while rest:
        document, end = decoder.raw_decode(rest)
        found.append(document)
        rest = rest[end:].strip()
    return found


def switched_off(lab: Lab) -> str:
    """A guest that somebody switched off."""
    lab.up(NET + WEB % ("web", 128))
    uuid = lab.uuid()
    with lab.session() as session:
        session.host(lab.uri).domain_destroy(uuid)
    found = lab.run("drift", "lab", code=4)[1][0]["differences"]
    lab.run("repair", "lab", "--yes")
    lab.run("drift", "lab")
    return f"`drift` says {found[0]['property']}: {found[0]['expected']} -> {found[0]['found']}, exit 4; `repair` starts the same guest; then exit 0"


def grown_live(lab: Lab) -> str:
    """Memory of a running guest."""
    lab.up(NET + WEB % ("web", 128))
    before = lab.uuid()
    changes = lab.up(NET + WEB % ("web", 160))[1][0]["actions"][0]["changes"]
    same = "the same domain" if lab.uuid() == before else "another domain"
    if lab.uuid() != before or changes[0]["effect"] != "live":
        raise AssertionError(f"{same}, {changes}")
    lab.run("drift", "lab")
    return f"applied {changes[0]['effect']} to {same}; no drift afterwards"


def refused(lab: Lab) -> str:
    """A change that the host cannot do."""
    lab.up(NET + WEB % ("web", 128))
    before = lab.uuid()
    code, documents, _ = lab.up(NET + (WEB % ("web", 128)).replace("192", "99999999"), code=None)
    if code == 0 or lab.uuid() != before:
        raise AssertionError("it was not refused")
    lab.run("drift", "lab")
    last = documents[-1]
    how = f"refused in the plan ({last['diagnostics'][0]['code']})" if "diagnostics" in last else last["status"].replace("_", " ")
    return f"{how}, exit {code}; the same guest runs as before, no drift"


def other_range(lab: Lab) -> str:
    """Another address range of a network."""
    lab.up("  net: {type: SE::Network, properties: {cidr: 10.231.1.0/24}}\n")
    plan = lab.up("  net: {type: SE::Network, properties: {cidr: 10.231.2.0/24}}\n")[1][0]["summary"]
    again = lab.run("plan", lab.template("  net: {type: SE::Network, properties: {cidr: 10.231.2.0/24}}\n"), "--name", "lab", "--exit-code")[0]
    return f"planned as what it is ({plan['replace']} to replace), done, and the next plan is empty (exit {again})"


def volume_grows(lab: Lab) -> str:
    """A volume that becomes larger."""
    lab.up(VOLUME % 1)
    lab.up(VOLUME % 2)
    lab.run("drift", "lab")
    if (grown := lab.sizes()) != [2]:
        raise AssertionError(f"volumes of {grown} GiB")
    lab.up(VOLUME % 3 + WAIT.replace("web", "data") % 1, code=1)
    return f"grown in place, no drift; an update to 3 GiB that fails later is rolled back, exit 1: it has {lab.sizes()[0]} GiB again"


def killed(lab: Lab) -> str:
    """kill -9 after the first guest."""
    template = lab.template(NET + WEB % ("web", 128) + WEB % ("web2", 128) + WAIT % 120)
    command = [sys.executable, "-m", "stackengine.cli.main", "up", template, "--name", "lab", "--state", str(lab.folder), "--host", lab.uri, "--yes"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 240
        while time.monotonic() < end and not _made(lab, "web"):
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
    started = time.monotonic()
    lab.up(NET + WEB % ("web", 128) + WEB % ("web2", 128))
    took = time.monotonic() - started
    domains = [n for n in lab.left() if "web" in n and not n.endswith((".json", ".iso", ".qcow2"))]
    if len(domains) != 2:
        raise AssertionError(f"domains: {domains}")
    return f"the next `up` goes on, exit 0 after {took:.1f} s; two guests, no orphan, no lock to take away"


def _made(lab: Lab, path: str) -> bool:
    with lab.session() as session:
        row = session.store.stack("lab")
        return row is not None and any(i.path == path and i.sure for i in session.store.recorded(row.id).instances.values())


def cannot_come_up(lab: Lab) -> str:
    """A stack in which something does not come up, twice."""
    broken = NET + WEB % ("web", 128) + WAIT % 2
    first, documents, _ = lab.up(broken, code=1)
    second = lab.up(broken, code=1)[0]
    if lab.left():
        raise AssertionError(f"left: {lab.left()}")
    return f"exit {first}, {documents[-1]['status'].replace('_', ' ')}, nothing left on the host; the second run says the same (exit {second})"


def shut_off_before(lab: Lab) -> str:
    """A guest that is there and shut off."""
    lab.up(NET + WEB % ("web", 128))
    uuid = lab.uuid()
    with lab.session() as session:
        session.host(lab.uri).domain_destroy(uuid)
    lab.run("drift", "lab", code=4)
    lab.up(NET + WEB % ("web", 160))
    with lab.session() as session:
        state = session.host(lab.uri).domain_info(uuid)
    if state is None or state.state != "running":
        raise AssertionError("it does not run")
    return "the update starts it again and applies the change"


def lost_state(lab: Lab) -> str:
    """The state is lost."""
    lab.up(NET + WEB % ("web", 128) + VOLUME % 1)
    before = lab.uuid()
    for file in lab.folder.glob("stackengine.db*"):
        file.unlink()
    found = lab.run("recover", "--from-host", lab.uri, "--yes")[1][0]["stacks"][0]["resources"]
    lab.up(NET + WEB % ("web", 128) + VOLUME % 1)
    if lab.uuid() != before:
        raise AssertionError("another domain")
    return f"`recover --from-host` finds {len(found)} objects; `up` takes them over as they are: the same domain UUID"


OFF = "Terraform: 'No changes', exit 0, the guest stays off"
GROWN = "Terraform: stops it, undefines and defines it, then an error about an inconsistent result"
REFUSED = "Terraform: the update fails and the domain is gone"
RANGE = "Terraform: plans an update in place, fails, and plans it again for ever"
SIZE = "Terraform: plans an update in place, then 'Update Not Supported'"
KILLED = "Terraform: two orphans, a lock file; the second run fails on 'already exists'"
AGAIN = "kcli: leaves the guest and its disks; the second run skips it and ends with 0"
SHUT = "virt-lightning: refuses, and prints hints for virsh"
LOST = "Terraform, vagrant: everything is an orphan"

EXPERIMENTS = (
    Experiment("a guest is switched off behind the tool's back", OFF, switched_off),
    Experiment("memory of a running guest, 128 to 160 MiB", GROWN, grown_live),
    Experiment("a change that the host refuses", REFUSED, refused),
    Experiment("another address range of a network", RANGE, other_range),
    Experiment("a volume from 1 to 2 GiB", SIZE, volume_grows),
    Experiment("`kill -9` after the first guest", KILLED, killed),
    Experiment("something does not come up, and the command is run again", AGAIN, cannot_come_up),
    Experiment("a guest is there and shut off", SHUT, shut_off_before),
    Experiment("the tool's state is lost", LOST, lost_state),
)


def measured(uri: str) -> Iterator[tuple[Experiment, str]]:
    """Every experiment on one host, each in a state folder of its own."""
    for experiment in EXPERIMENTS:
        with tempfile.TemporaryDirectory(prefix="se-reliability-") as folder:
            lab = Lab(uri, Path(folder))
            if uri.startswith("private://"):
                lab.folder = Path(os.environ.get("STACKENGINE_STATE", folder))  # a private host lives in its state folder
                lab.folder.mkdir(parents=True, exist_ok=True)
            try:
                found = experiment.work(lab)
            except (AssertionError, KeyError, IndexError, StopIteration) as error:
                found = f"**not as it should be**: {error}"
            lab.clear()
            if lab.folder == Path(folder) and uri.startswith("private://"):  # what runs in a folder of its own goes with it
                private.remove(uri.removeprefix("private://"), lab.folder)
        print(f"{uri}: {experiment.title}: {found}", file=sys.stderr, flush=True)
        yield experiment, found


def main() -> int:
    """Run, write, and say whether everything ended as it should."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--host", help="also on this host, with real guests")
    host = parser.parse_args().host
    simulated = dict(measured("memory://"))
    real = dict(measured(host)) if host else {}
    lines = [
        "# What goes wrong with others, tried here", "",
        "Written by `python -m bench.reliability`. What the other tools did was measured in one laboratory (libvirt 9.0, Debian 12, TCG guests).",
        f"This run: {time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, "
        + (f"on `memory://` and with real guests on `{host}`." if host else "on `memory://`."),
        "",
    ]  # fmt: skip
    for experiment in EXPERIMENTS:
        lines += [f"## {experiment.title[0].upper()}{experiment.title[1:]}", "", "| | |", "|---|---|", f"| others | {experiment.others} |"]
        lines += [f"| here, simulated | {simulated[experiment]} |", *([f"| here, real guests | {real[experiment]} |"] if real else []), ""]
    (Path(__file__).parent / "reliability.md").write_text("\n".join(lines))
    wrong = [f for f in (*simulated.values(), *real.values()) if f.startswith("**")]
    print(f"{len(simulated) + len(real) - len(wrong)} as they should be, {len(wrong)} not", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
