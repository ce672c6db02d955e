"""The story: create, serve, update, fail and roll back, die and resume, go without a trace."""

from __future__ import annotations

import urllib.request
from pathlib import Path

from tools.demonstration.looks import Looks, Server
from tools.demonstration.stage import Stage

TEMPLATES = Path("templates")
THREE_TIER, AUTOFAIL = str(TEMPLATES / "three-tier/hot/stack.yaml"), str(TEMPLATES / "autofail/hot/stack.yaml")
STACK = "three-tier"
GROWN = ("--param", "data_size=2")


def play(stage: Stage, looks: Looks) -> None:
    """All of it; Failed at the first thing that is not as it should be."""
    with stage.step("The plan: what would be made, in which order, and why; nothing is touched"):
        stage.run("plan", THREE_TIER, "--host", looks.uri)
        stage.expect(looks.left() == [], "the host has no domain, network or volume")
    with stage.step("Up: a load balancer, two web servers, a database with a volume, two networks"):
        stage.run("up", THREE_TIER, "--host", looks.uri, "--yes", plan=False)
        before = servers(stage, looks)
    with stage.step("A request from this machine, through the load balancer, to both web servers and the database"):
        first = pages(stage, looks, "Three tiers, release 1")
    with stage.step("An update that is applied live: the database's volume grows, no guest is stopped"):
        stage.run("up", THREE_TIER, *GROWN, "--yes")
        if not looks.simulated:
            stage.expect("2097152 vd" in stage.run("ssh", STACK, "db", "--", "cat /proc/partitions"), "the database server sees 2 GiB (2097152 blocks)")
        stage.expect(looks.servers() == before, "every server is the same, and was not restarted")
    with stage.step("An update that fails: new web servers signal FAILURE, so it is rolled back"):
        stage.run("up", AUTOFAIL, "--name", STACK, *GROWN, "--yes", "--allow", "replace", code=1)
        stage.expect(looks.servers() == before, f"{looks.who} has the very same servers: UUIDs, addresses, never restarted")
        stage.expect(pages(stage, looks, "Three tiers, release 1") == first, "the page is as before" if first else "no page, as before")
    killed_and_resumed(stage, looks, before)
    with stage.step("Down"):
        stage.run("down", STACK, "--yes", plan=False)
        stage.expect(looks.left() == [], f"{looks.who} has no domain, network or volume of ours left")
        if looks.layers():
            stage.saw(f"kept for the next stack, as the host's own: {len(looks.layers())} files of the tiny image's layers")


def killed_and_resumed(stage: Stage, looks: Looks, before: dict[str, Server]) -> None:
    """The engine dies in the middle of an update; a second one finishes it."""
    release = ("--param", "title=After the crash", "--param", "release=2")
    with stage.step("kill -9 of stack-run in the middle of another update"):
        stage.run_until(r"web[12]: replaced", "up", THREE_TIER, *GROWN, *release, "--yes", "--allow", "replace")
        stage.expect("interrupted" in stage.run("ls"), "`stack-run ls` says: interrupted")
        stage.expect(set(before) < set(looks.servers()), f"{looks.who} has {len(looks.servers())} servers now, old and new")
    with stage.step("Resume: the same revision is aimed at, what is there already is taken"):
        stage.run("resume", STACK)
        now = servers(stage, looks)
        kept = set(before.values()) & set(now.values())
        stage.expect(len(kept) == 1, "the database server is the same, and was not restarted; three new servers; no old one is left")
        pages(stage, looks, "After the crash, release 2")


def servers(stage: Stage, looks: Looks) -> dict[str, Server]:
    """What the host has, shown; there must be four, running."""
    found = looks.servers()
    for name, server in sorted(found.items()):
        stage.saw(f"{name}  {server}")
    stage.expect(len(found) == 4 and all(s.running > 0 for s in found.values()), f"{looks.who} has 4 servers, running")
    return found


def pages(stage: Stage, looks: Looks, headline: str) -> set[str]:
    """The pages that four requests get; each of the two servers must answer, with the database's row. None in a simulation."""
    if looks.simulated:
        stage.saw("(simulated: no page is served)")
        return set()
    url = stage.run("outputs", STACK, "url").strip()
    found = set()
    for _ in range(4):
        with urllib.request.urlopen(url, timeout=20) as answer:
            found.add(answer.read().decode())
    for page in sorted(found):
        stage.saw(f"GET {url} -> " + " | ".join(page.splitlines()))
    stage.expect(
        {p.splitlines()[1] for p in found} == {"served by web1", "served by web2"}
        and all(p.splitlines()[0] == headline and p.splitlines()[2].startswith("database: row 1") for p in found),
        f"both web servers answered with {headline!r} and the database's row",
    )
    return found
