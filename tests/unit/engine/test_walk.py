"""The walk: what may start when, in which order, and what a failure stops."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stackengine.engine.walk import Walk
from stackengine.model.instance import Instance
from stackengine.planning.plan import Action, Edge, Phase, Plan


def action(name: str, *after: str, phase: Phase = "main") -> Action:
    """``after`` are names, or ``name:ready``."""
    edges = tuple(Edge(a.partition(":")[0], a.partition(":")[2] or "configured") for a in after)  # type: ignore[arg-type]
    return Action(name, "create", Instance(name, 1, "t", {"physical_id": name}, {}), "", edges, phase=phase)


def plan(*actions: Action) -> Plan:
    return Plan({a.id: a for a in actions})


def ready(walk: Walk) -> list[str]:
    found = []
    for item in walk.ready():
        walk.start(item)
        found.append(item.id)
    return found


def test_the_longest_path_comes_first() -> None:
    walk = Walk(plan(action("short"), action("a"), action("b", "a"), action("c", "b")))
    assert ready(walk) == ["a", "short"]


def test_an_edge_waits_for_configured_or_for_ready() -> None:
    made = plan(action("a"), action("soon", "a"), action("late", "a:ready"))
    walk = Walk(made)
    assert ready(walk) == ["a"]
    walk.reach(made.actions["a"], "configured")
    assert ready(walk) == ["soon"]
    walk.reach(made.actions["a"], "ready")
    assert ready(walk) == ["late"]


def test_configured_and_then_ready_counts_once_for_a_follower_of_two() -> None:
    made = plan(action("a"), action("b"), action("both", "a", "b"))
    walk = Walk(made)
    ready(walk)
    walk.reach(made.actions["a"], "configured")
    walk.reach(made.actions["a"], "ready")
    assert ready(walk) == []
    walk.reach(made.actions["b"], "configured")
    assert ready(walk) == ["both"]


def test_the_tail_starts_when_everything_else_is_done() -> None:
    made = plan(action("a"), action("b"), action("t", phase="tail"))
    walk = Walk(made)
    assert ready(walk) == ["a", "b"]
    walk.reach(made.actions["a"], "ready")
    walk.reach(made.actions["b"], "configured")
    assert ready(walk) == []
    walk.reach(made.actions["b"], "ready")
    assert ready(walk) == ["t"]
    walk.reach(made.actions["t"], "done")
    assert walk.complete


def test_a_failure_stops_what_comes_after_and_the_tail_and_nothing_else() -> None:
    made = plan(action("bad"), action("after", "bad"), action("deep", "after"), action("good"), action("more", "good"), action("t", phase="tail"))
    walk = Walk(made)
    ready(walk)
    walk.fail(made.actions["bad"])
    walk.reach(made.actions["good"], "ready")
    assert ready(walk) == ["more"]
    walk.reach(made.actions["more"], "ready")
    assert ready(walk) == []
    assert not walk.running
    assert not walk.complete
    assert set(walk.not_run()) == {"bad", "after", "deep", "t"}


def test_a_follower_of_one_that_failed_at_its_gate_does_not_start() -> None:
    made = plan(action("gated"), action("other"), action("both", "gated", "other"))
    walk = Walk(made)
    ready(walk)
    walk.reach(made.actions["gated"], "configured")
    walk.fail(made.actions["gated"])
    walk.reach(made.actions["other"], "ready")
    assert ready(walk) == []


def test_what_there_is_no_room_for_comes_again() -> None:
    made = plan(action("a"))
    walk = Walk(made)
    walk.put_back(next(iter(walk.ready())))
    assert ready(walk) == ["a"]


@given(st.integers(1, 25).flatmap(lambda n: st.lists(st.sets(st.integers(0, max(0, n - 1)), max_size=3), min_size=n, max_size=n)), st.randoms())
def test_every_action_of_any_plan_runs_once_and_after_what_it_follows(edges: list[set[int]], random: object) -> None:
    made = plan(*(action(f"a{n}", *(f"a{m}:ready" for m in after if m < n)) for n, after in enumerate(edges)))
    walk, done, running = Walk(made), set[str](), list[str]()
    while not walk.complete:
        for item in walk.ready():
            assert {e.action for e in item.after} <= done
            assert item.id not in done
            walk.start(item)
            running.append(item.id)
        assert running, "it stands still"
        chosen = running.pop(random.randrange(len(running)))  # type: ignore[attr-defined]
        walk.reach(made.actions[chosen], "ready")
        done.add(chosen)
    assert done == set(made.actions)
