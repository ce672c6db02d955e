"""What is stored comes back exactly: values with their wrappers, expressions, instances, desired states. And no secret has a stored form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackengine.model import codec
from stackengine.model.desired import Dependency, Desired, DesiredOutput, DesiredResource, Scope
from stackengine.model.expr import Attr, Call, Entry, If, List, Literal, Map, Param, Ref
from stackengine.model.instance import Claim, DiskCopy, Instance, Layer, Piece
from stackengine.model.mark import NOWHERE, Mark
from stackengine.model.template import Policies
from stackengine.model.values import OMIT, SecretRef, Sensitive, Unknown

TEXT = st.text(max_size=8)
NAMES = st.one_of(TEXT, st.sampled_from(["$unknown", "$secret", "$omit", "$literal", "$"]))
MARKS = st.one_of(st.just(NOWHERE), st.builds(Mark, TEXT, st.integers(1, 99), st.integers(1, 99)))
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXT)
REFS = st.builds(SecretRef, st.text(min_size=1, max_size=5), st.integers(1, 9))
JSON = st.recursive(st.one_of(PLAIN, REFS, st.just(OMIT)), lambda v: st.one_of(st.lists(v, max_size=3), st.dictionaries(NAMES, v, max_size=3)), max_leaves=8)
EXPRESSIONS = st.recursive(
    st.one_of(st.builds(Literal, JSON, MARKS), st.builds(Param, TEXT, MARKS), st.builds(Ref, TEXT, MARKS)),
    lambda e: st.one_of(
        st.builds(Map, st.lists(st.builds(Entry, TEXT, MARKS, e), max_size=3).map(tuple), MARKS),
        st.builds(List, st.lists(e, max_size=3).map(tuple), MARKS),
        st.builds(Attr, TEXT, st.lists(e, min_size=1, max_size=3).map(tuple), MARKS),
        st.builds(Call, TEXT, st.lists(e, max_size=3).map(tuple), MARKS),
        st.builds(If, e, e, e, MARKS),
    ),
    max_leaves=8,
)
VALUES = st.recursive(
    st.one_of(PLAIN, REFS, st.just(OMIT), st.builds(Unknown, EXPRESSIONS)),
    lambda v: st.one_of(st.lists(v, max_size=3), st.dictionaries(NAMES, v, max_size=3)),
    max_leaves=10,
)
PROPERTIES = st.dictionaries(NAMES, VALUES, max_size=4)
IDS = st.frozensets(TEXT, max_size=3)
POLICIES = st.builds(
    Policies, st.sampled_from(["Delete", "Retain", "Snapshot"]), st.sampled_from(["Delete", "Retain"]), st.sampled_from(["allow", "never"]),
    st.lists(TEXT, max_size=2).map(tuple), st.one_of(st.none(), st.just({"count": 1, "timeout": 5})),
)  # fmt: skip
COPIES = st.builds(
    DiskCopy, TEXT, st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=2).map(tuple), PROPERTIES, PROPERTIES,
    st.sampled_from(["making", "whole", "restoring", "dropping"]),
)
INSTANCES = st.builds(
    Instance, TEXT, st.integers(1, 99), TEXT, PROPERTIES, PROPERTIES, IDS, IDS, PROPERTIES, PROPERTIES, IDS, IDS, IDS, TEXT,
    pieces=st.lists(st.builds(Piece, TEXT, TEXT, TEXT), max_size=2).map(tuple),
    copies=st.lists(COPIES, max_size=2).map(tuple),
    claims=st.lists(st.builds(Claim, TEXT, TEXT, TEXT), max_size=2).map(tuple),
    policies=POLICIES, sure=st.booleans(), lived=st.booleans(), status=st.sampled_from(["creating", "ready", "deleting"]),
    power=st.sampled_from(["running", "unknown"]), schema_version=st.integers(1, 3), protected=st.booleans(), external=st.booleans(),
)  # fmt: skip


DEPENDENCIES = st.builds(Dependency, TEXT, st.sampled_from(["configured", "ready"]), TEXT, MARKS)


def through_json(data: Any) -> Any:
    return json.loads(json.dumps(data))


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_values_come_back(value: Any) -> None:
    assert codec.value_from_json(through_json(codec.value_to_json(value))) == value


@settings(max_examples=60, deadline=None)
@given(EXPRESSIONS)
def test_expressions_come_back(expr: Any) -> None:
    assert codec.expr_from_json(through_json(codec.expr_to_json(expr))) == expr


@settings(max_examples=25, deadline=None)
@given(INSTANCES)
def test_instances_come_back(instance: Instance) -> None:
    assert codec.instance_from_json(through_json(codec.instance_to_json(instance))) == instance


@given(st.builds(Layer, TEXT, TEXT, TEXT, TEXT, st.one_of(st.none(), TEXT), st.one_of(st.none(), TEXT)))
def test_layers_come_back(layer: Layer) -> None:
    assert codec.layer_from_json(through_json(codec.layer_to_json(layer))) == layer


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.builds(
            DesiredResource, TEXT, TEXT, PROPERTIES, st.lists(DEPENDENCIES, max_size=2).map(tuple),
            POLICIES, st.just("running"), TEXT, TEXT, VALUES, VALUES, st.dictionaries(TEXT, MARKS, max_size=2), st.booleans(),
        ),
        max_size=3,
    ),
    st.lists(st.builds(DesiredOutput, TEXT, VALUES, TEXT, st.booleans(), MARKS), max_size=2),
    st.lists(st.builds(Scope, TEXT, st.just("hot"), PROPERTIES, POLICIES), max_size=2),
)  # fmt: skip
def test_desired_states_come_back(resources: list[DesiredResource], outputs: list[DesiredOutput], scopes: list[Scope]) -> None:
    desired = Desired({r.path: r for r in resources}, {o.name: o for o in outputs}, {s.path: s for s in scopes}, "words", 3.5, {"a": [1]})
    again = codec.desired_from_json(through_json(codec.desired_to_json(desired)))
    assert again == desired
    assert list(again.resources) == list(desired.resources), "and in their order"


@settings(max_examples=30, deadline=None)
@given(PROPERTIES, TEXT)
def test_a_secret_has_no_stored_form(properties: dict[str, Any], key: str) -> None:
    with pytest.raises(TypeError):
        codec.value_to_json({**properties, key: Sensitive("hush")})


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_different_values_are_stored_differently(value: Any) -> None:
    other = {"wrapped": value}
    assert json.dumps(codec.value_to_json(value)) != json.dumps(codec.value_to_json(other))


def test_an_instance_of_before_occupied_was_recorded_occupies_what_is_exclusive() -> None:
    old = codec.instance_to_json(Instance("a", 1, "t", {"physical_id": "x"}, {}, exclusive=frozenset({"d"})))
    del old["occupied"]
    assert codec.instance_from_json(old).occupied == {"d"}
