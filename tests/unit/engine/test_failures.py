"""Whatever an action fails with: it is said what happened, where, and what to do next."""

from __future__ import annotations

import pytest

from stackengine.engine.failures import describe, what_to_try
from stackengine.engine.redact import Redactor
from stackengine.engine.resolution import ReplaceNeededError
from stackengine.evaluate import EvaluationError
from stackengine.model.instance import Instance
from stackengine.model.mark import NOWHERE, Mark
from stackengine.planning.plan import Action
from stackengine.sdk import (
    AgentError,
    ExistsError,
    FailedError,
    HostError,
    NotFoundError,
    RefusedError,
    TransientError,
    UnreachableError,
    UnsupportedError,
)

ACTION = Action(
    "create:web@1", "create", Instance("web", 1, "SE::Server", {"physical_id": "u"}, {}, host="private://lab"), "", mark=Mark("app.yaml", 9, 3, 9, 6)
)
KINDS = (AgentError, ExistsError, HostError, NotFoundError, RefusedError, TransientError, UnreachableError, UnsupportedError)


@pytest.mark.parametrize("kind", KINDS)
def test_each_error_of_a_host_says_what_where_and_what_next(kind: type[HostError]) -> None:
    found = describe(ACTION, kind("no", code=38, call="virDomainCreate"), Redactor())
    assert (found.message, found.host, found.libvirt_code, found.type, str(found.mark)) == (
        "virDomainCreate: no", "private://lab", 38, "SE::Server", "app.yaml:9:3",
    )  # fmt: skip
    assert found.hint
    assert "{" not in found.hint


@pytest.mark.parametrize("error", [FailedError("no"), ReplaceNeededError("kind turned out different"), EvaluationError("no such key", NOWHERE)])
def test_what_is_no_error_of_a_host_says_what_next_too(error: Exception) -> None:
    found = describe(ACTION, error, Redactor())
    assert found.hint
    assert "fault" not in found.hint


def test_a_better_hint_is_kept_and_a_fault_of_our_own_is_called_one() -> None:
    assert describe(ACTION, RefusedError("no", hint="do this"), Redactor()).hint == "do this"
    ours = describe(ACTION, KeyError("x"), Redactor())
    assert "KeyError" in ours.message
    assert "SE::Server" in ours.hint


def test_a_host_that_fails_outside_of_an_action_is_answered_with_what_to_do_next() -> None:
    assert what_to_try(UnreachableError("no answer", host="lab")) == "is the host there? stack-run hosts doctor lab"
    assert "hosts doctor HOST" in what_to_try(HostError("no room"))
    assert what_to_try(HostError("no room", hint="make room")) == "make room"
