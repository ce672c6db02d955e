"""The faults: a place in the source, what stands there, what is put in its stead. One whose place is gone fails the run: it proves nothing any more."""

from __future__ import annotations

from dataclasses import dataclass

HISTORIES = "tests/properties/test_histories.py::test_a_few_hundred_histories"
REAL_STORE = "tests/properties/test_histories.py::test_a_few_on_the_real_store"
SCENARIOS = "tests/scenarios"
FOLD, WALK = "tests/unit/engine/test_fold.py", "tests/unit/engine/test_walk.py"
STORE = "tests/unit/store/test_operations_store.py"
IDENTITY, DIFFERENCES = "tests/unit/planning/test_identity.py", "tests/unit/planning/test_diff.py"
SAFETY = "tests/unit/service/test_safety.py"
EXTERNAL, ATTEMPTS = "tests/unit/service/test_external.py", "tests/unit/service/test_attempts.py"
DISKS = (SCENARIOS, HISTORIES)
HOSTS, PLACEMENT, RENAMED = ("tests/unit/service/test_several_hosts.py",), ("tests/unit/planning/test_placement.py",), ("tests/unit/service/test_taking_over.py",)
PLACE, MOVES = "planning/placement/place.py", "planning/moves.py"
EXECUTOR, SIGNALS = "tests/unit/engine/test_executor.py", "tests/unit/service/test_signals_and_secrets.py"


@dataclass(frozen=True)
class Fault:
    """One mutant. ``found_by``: the tests that are tried, in this order. ``harmless``: why it may live (then it must)."""

    name: str
    file: str
    old: str
    new: str
    found_by: tuple[str, ...] = (HISTORIES, SCENARIOS)
    harmless: str = ""


CHOOSE, ORDER, MAKE, DIFF, COPIES = (f"planning/{n}.py" for n in ("choose", "order", "make", "diff", "copies"))
FAULTS = [
    # planning: which instance
    Fault("an unsure instance is updated as if it were sure", CHOOSE, "if not old.sure or gone:", "if gone:"),
    Fault("what is being deleted may be chosen", CHOOSE, 'if old.status == "deleting" or old.external', "if old.external"),
    Fault("generations are given again", CHOOSE, "self.recorded.generations.get(resource.path, 0) + 1", "len(self._by_path.get(resource.path, ())) + 1"),
    Fault("an update does not change what is exclusive", CHOOSE, "exclusive=info.handler.exclusive(identity, want), attributes", "exclusive=old.exclusive, attributes"),
    Fault("attributes of an unsure object count as known", CHOOSE, 'choice.kind == "update" and not choice.changes', "choice.old is not None and not choice.changes"),
    Fault("a possible replacement is done", CHOOSE, 'c.effect == "replace" and not only_maybe(c) for c', 'c.effect == "replace" for c'),
    Fault("contributions never force a new generation", CHOOSE, 'strongest(c.effect for c in changes) == "replace"', 'strongest(c.effect for c in changes) == "never"'),
    Fault("a rollback takes the forced replacement", CHOOSE, "        old.generation < least,  #", "        False,  #"),
    Fault("a resumed replacement begins anew", CHOOSE, "asked = old.generation >= least or", "asked = old.generation > least or"),
    Fault("stopped objects are left stopped", CHOOSE, 'old.sure and not gone and old.status == "ready" and old.power in ("running", "saved"):', 'old.sure and not gone:'),
    Fault("the weakest effect counts", DIFF, "return max(effects, key=_ORDER.index", "return min(effects, key=_ORDER.index", (DIFFERENCES,)),
    # planning: order
    Fault("rule 1 is left out", ORDER, 'step.follow(before, dependency.need, f"{dependency.via} refers to {dependency.path}")', "pass"),
    Fault("ready is taken for configured", ORDER, "step.follow(before, dependency.need,", 'step.follow(before, "configured",'),
    Fault("a holder that goes need not go first", ORDER, 'delete.follow(self._gone[holder.id], "done", f"{holder.id} holds it")\n                elif', "pass\n                elif"),
    Fault(
        "a holder that stays need not let go first", ORDER, 'delete.follow(self._main[holder.id], "configured", f"{holder.id} lets go of it")', "pass",
        harmless="rule 3 covers it: the delete is in the cleanup tail, which starts when every update is done (early deletes wait for releases)",
    ),
    Fault("the successor does not wait for the stop", ORDER, 'stop = self._stop(old)\n        step.follow(stop, "done", why)\n        delete', "stop = self._stop(old)\n        delete"),
    Fault("the giver need not let go first", ORDER, 'step.follow(giver, "configured", why)', "pass"),
    Fault("an early delete does not wait for the release", ORDER, 'delete.follow(release, "done", f"{holder.id} holds it")', "pass"),
    Fault("the update does not wait for the release", ORDER, 'after.follow(release, "done", "it was released before")', "pass"),
    Fault("what cannot exist twice goes in the tail", ORDER, 'delete.early = True\n            step.follow(delete, "done", f"{thing} cannot', 'step.follow(delete, "done", f"{thing} cannot'),
    Fault("two changes of one object at a time", ORDER, 'after.follow(before, "done", "one change of an object at a time")', "pass"),
    Fault("two may share what is exclusive", ORDER, "self._nobody_shares()", "pass"),
    Fault("a rollback undoes what was there before", ORDER, "undoing=r.id in undoing, dead", "undoing=bool(undoing), dead", (SAFETY,)),
    Fault("what was made in vain is protected", MAKE, "[a for a in actions.values() if a.instance.id not in ground.undoing]", "actions.values()", (SAFETY,)),
    Fault("what is made again counts as made", "store/store.py", " - {i for mine, i in found if not mine}", "", (STORE,)),
    Fault("a target takes away what others hold", ORDER, "self._still_held()", "pass"),
    Fault("deletes come before the point of no return", MAKE, 'return "early" if step.early else "tail"', 'return "early"'),
    # the walk and the executor
    Fault("the tail does not wait", "engine/walk.py", 'if self._actions[id_].phase == "tail" and self._head:', "if False:", (WALK, HISTORIES)),
    Fault("configured and ready both count", "engine/walk.py", "if before < wanted <= level:", "if wanted <= level:", (WALK, HISTORIES)),
    Fault("ready is reached when configured", "engine/walk.py", '_LEVEL = {"configured": 1, "ready": 2,', '_LEVEL = {"configured": 1, "ready": 1,', (WALK, HISTORIES)),
    Fault("a failure blocks nothing", "engine/walk.py", "self._blocked.add(follower)", "pass", (WALK, HISTORIES)),
    Fault("begin is durable later", "engine/executor.py", "        if self._events:\n", "        if self._events and not self._due:\n"),
    Fault("what is said is not cleaned", "engine/executor.py", "self._redactor.text(str(result.value))", "str(result.value)"),
    Fault("a replacement is done behind the plan's back", "engine/resolution.py", "            if forced:\n", "            if False:\n"),
    Fault("attributes are not sealed", "engine/resolution.py", "map_leaves(v, self._hidden) for", "v for"),
    Fault("no slot is taken when work is announced", "engine/executor.py", "self._runner.reserve(action.id, action.instance.host, kind)", "pass", (EXECUTOR,)),
    Fault("a new guest is ready by its predecessor's signal", "engine/executor.py", "gate.kind == \"signal\" and gate.uuid else", "gate.kind == \"never\" else", (SIGNALS,)),
    # the journal
    Fault("holds are not a union", "engine/journal.py", "holds = new.holds | new.refs | (old.holds", "holds = new.refs | (frozenset()", (FOLD,)),
    Fault("what is occupied is not a union", "engine/journal.py", "occupied = new.exclusive | (old.occupied", "occupied = new.exclusive | (frozenset()", (FOLD, HISTORIES)),
    Fault("a stop that began is a stop that was done", "engine/journal.py", 'return new.but(power="unknown")', 'return new.but(power="stopped")'),
    Fault("a failed update is sure", "engine/journal.py", "sure=instance.sure and after_configured", "sure=True", (FOLD, HISTORIES)),
    Fault("a released object still refers", "engine/journal.py", "holds=instance.holds - {of}, refs=instance.refs - {of}", "holds=instance.holds", (FOLD, HISTORIES)),
    Fault("a failure is never spent", "engine/journal.py", 'forget_signals(recorded, event.payload.get("spent", ""), "FAILURE")', "pass", (FOLD,)),
    # use cases: failure, rollback, resume
    Fault("on-failure delete is forgotten by a crash", "service/operations.py", "0 if delete else store.stack_of(self._row.id).revision", "self._operation.from_revision"),
    Fault("there is no point of no return", "service/operations.py", 'all(plan.actions[i].phase == "tail" for i in outcome.not_run)', "False"),
    Fault("what was asked is forgotten by a crash", "service/operations.py", "recorded, host, self._options, returning=back", "recorded, host, {}, returning=back"),
    Fault("what a dead process left is in the way", "service/operations.py", "        session.store.supersede(left)\n", "        pass\n"),
    # the store
    Fault("old owners write on", "store/log.py", ', operation.c.epoch == sa.bindparam("mine_since"))', ")", (STORE,)),
    Fault("events share numbers", "store/log.py", "first = last - len(events) + 1", "first = last", (STORE, REAL_STORE)),
    Fault("two operations on one stack", "store/tables.py", 'sa.Column("active_stack", _KEY, unique=True)', 'sa.Column("active_stack", _KEY)', (STORE,)),
    Fault("claims are given twice", "store/claims.py", "if holder is not None and holder != stack_id:", "if False:", (STORE,)),
    Fault("claims of what never came are kept", "store/claims.py", "    if not stale:\n        return\n", "    return\n", (STORE, REAL_STORE)),
    Fault("old plans are taken", "store/store.py", "if current != stack.last_seq:", "if False:", (STORE,)),
    Fault("generations share identities", "planning/identity.py", 'f"{self.path}\\0{self.generation}\\0{salt}"', 'f"{self.path}\\0{salt}"', (IDENTITY, HISTORIES)),
    # copies of disks
    Fault("nothing is copied", COPIES, "    if ground.returning:  #", "    if True:  #", DISKS),
    Fault("a disk that is half brought back is left so", COPIES, 'if copy.status == "restoring":', 'if copy.status == "never":', DISKS),
    Fault("what was not changed since is brought back", COPIES, '"whole" and since and not', '"whole" and not', DISKS),
    Fault("any copy is brought back, whatever it holds", COPIES, "and not handler.lasting(copy.properties, want)", "", DISKS),
    Fault("a copy that was never finished is brought back", COPIES, 'if copy.status == "whole" and since', "if since", DISKS),
    Fault("the change does not wait for the copy", ORDER, 'main.follow(copy, "done", "so that its disks can be brought back")', "pass", DISKS),
    Fault("copies stay for ever", ORDER, "            self._extra[discard.id] = discard\n", "", DISKS),
    Fault("copies go before the point of no return", MAKE, '"snapshot", "discard"):', '"snapshot"):', DISKS),
    Fault("a disk comes back under who uses it", ORDER, 'if choice.info.schema.get("console"):', "if True:", DISKS),
    Fault("who stood aside stays there", ORDER, 'elif chosen is not None and chosen.kind == "keep":', "elif False:", DISKS),
    Fault("nothing waits for a disk to come back", ORDER, 'main.follow(restore, "done", "its disks come back first")', "pass", DISKS),
    Fault("what came back is recorded as it was changed", "engine/journal.py", 'if verb == "restore" else {}', 'if verb == "never" else {}', DISKS),
    Fault("a copy that has begun is whole", "engine/journal.py", 'attributes=instance.attributes, status="making")', 'attributes=instance.attributes, status="whole")', DISKS),
    Fault("what is being dropped is whole", "engine/journal.py", 'replace(c, status="dropping") for c in new.copies', "c for c in new.copies", (SCENARIOS,)),
    Fault("the tail is begun without a word", "engine/executor.py", 'self._events.append(Event("operation.reached"))', "pass", (SCENARIOS,)),
    Fault("what was begun in vain is forgotten", "service/prepare.py", 'dict(last.options.get("since", {}))', "{}", (SCENARIOS,)),
    Fault("what is made anew is not remembered", "service/operations.py", "for a in preview.plan.actions.values() if a.replaces}", "for a in () if a.replaces}", (SCENARIOS,)),
    Fault("the store does not hear that a revision stands", "store/log.py", 'e.kind == "operation.reached"', 'e.kind == "operation.never"', (SCENARIOS,)),
    Fault("bringing back leaves no record", "engine/journal.py", 'replace(c, status="restoring") if c.id == copy.id', 'replace(c, status="whole") if c.id == copy.id', DISKS),
    Fault("what is being brought back is sure", "engine/journal.py", 'return new.but(sure=False, power="unknown")', "return new", DISKS),
    Fault("an update forgets the copies", "engine/journal.py", "copies = old.copies if old is not None else new.copies", "copies = new.copies", DISKS),
    # what is not the stack's
    Fault("what is used and not owned is deleted", ORDER, "    if old.external or dead:\n", "    if dead:\n", (HISTORIES, SCENARIOS)),
    Fault("what is used and not owned may stand for what is owned", CHOOSE, "old.external or old.type", "old.type", (HISTORIES, EXTERNAL)),
    Fault("what is added to what is not owned is dropped", "planning/external.py", "for key in given.get(path, ()) if choice.instance.external else ():", "for key in ():", (EXTERNAL,)),
    Fault("it is used, whatever it has become", "engine/work.py", "or dict(found.properties) != planned.properties", "", (EXTERNAL,)),
    Fault("the stack's own is used as somebody else's", "planning/external.py", "if mine is not None:", "if False:", (EXTERNAL,)),
    # which of two, and under which number
    Fault("an older generation made anew gives its number again", "store/log.py", ', ("stack", "path"), most=True)', ', ("stack", "path"))', (SCENARIOS,)),
    Fault("the half of a replacement comes back", CHOOSE, "        old.sure,\n        old.lived,\n", "        old.sure,\n", (SCENARIOS,),
          harmless="a second one of equal properties comes of a forced replacement only, and on the way back the generation from before that goes first"),
    Fault("attempts leave no record", "engine/work.py", "self._runner.deliver(Result(ATTEMPT + key, found))", "pass", (ATTEMPTS,)),
    # from host to host, and from name to name
    Fault("what has arrived is still on its way", "engine/journal.py", "if instance.origin:  #", "if False:  #", HOSTS),
    Fault("what is on its way is looked for where it is recorded", CHOOSE, "(h for h in ends if h != target)", "(h for h in ends if h == old.host)", HOSTS),
    Fault("a dead host is asked to give its guests away", CHOOSE, "if h and h not in self.ground.dead]", "if h]", HOSTS),
    Fault("what can move is made again", CHOOSE, "if moves and not (info.handler.movable or old.host in self.ground.dead):", "if moves:", HOSTS),
    Fault("what one had on a host that it left stays its own", "store/claims.py", " or host not in hosts.get(instance, {host})", "", HOSTS),
    Fault("a renamed object counts as it was", MOVES, '            amendment.events.append(Event("observed", new.path, new.generation, "", {"properties": seen}))\n', "", RENAMED),
    Fault("references do not follow a new name", MOVES, "refs=frozenset(ids.get(r, r) for r in instance.refs)", "refs=instance.refs", RENAMED),
    # placement
    Fault("what a host has is given out twice", PLACE, "self._candidates[chosen].take(wanted)", "pass", PLACEMENT),
    Fault("the smallest is placed first", PLACE, "(-w.memory, -w.vcpus, w.path)", "(w.memory, w.vcpus, w.path)", PLACEMENT),
    Fault("a host that has filled up since is not looked at again", PLACE, "if candidate.version == version:", "if True:", PLACEMENT),
    Fault("those that belong together forget where the first one is", PLACE, "self._homes[wanted.together] = chosen", "pass", PLACEMENT),
]
