"""Dynamic references: ``{{resolve:ssm:name:version}}``, ``ssm-secure`` and ``secretsmanager`` in text.

A reference to a secret of the same template (``{{resolve:secretsmanager:${Secret}:SecretString:password}}``) becomes an attribute of it;
all others are calls of ``dynamic_reference``, which ``evaluate`` answers from the records of other stacks.
"""

from __future__ import annotations

from stackengine.model.expr import Attr, Call, Expr, List, Literal, Ref
from stackengine.model.mark import Mark

OPENING, CLOSING = "{{resolve:", "}}"
SECRET = "SecretString"


def holds_one(text: str) -> bool:
    """Whether there is a whole reference in a text."""
    return CLOSING in text.partition(OPENING)[2]


def replaced(parts: list[Expr], mark: Mark) -> Expr:
    """The parts of a text, joined, with every reference in them made a call."""
    found: list[Expr] = []
    inside: list[Expr] | None = None
    for part in parts:
        if not isinstance(part, Literal) or not isinstance(part.value, str):
            (found if inside is None else inside).append(part)
            continue
        text = part.value
        while text:
            if inside is None:
                before, opening, text = text.partition(OPENING)
                found += [Literal(before, part.mark)] if before else []
                inside = [] if opening else None
            else:
                before, closing, text = text.partition(CLOSING)
                inside += [Literal(before, part.mark)] if before else []
                if closing:
                    found.append(_reference(inside, mark))
                    inside = None
    if inside is not None:
        found += [Literal(OPENING, mark), *inside]
    return joined(found, mark)


def joined(parts: list[Expr], mark: Mark) -> Expr:
    """One expression of several parts of a text."""
    return parts[0] if len(parts) == 1 else Call("join", (Literal("", mark), List(tuple(parts), mark)), mark)


def _reference(inside: list[Expr], mark: Mark) -> Expr:
    own = _of_this_template(inside, mark)
    return own if own is not None else Call("dynamic_reference", (joined(inside, mark),), mark)


def _of_this_template(inside: list[Expr], mark: Mark) -> Expr | None:
    """``secretsmanager:`` Ref ``:SecretString:key`` of a resource."""
    if len(inside) not in (2, 3) or not isinstance(inside[0], Literal) or inside[0].value not in ("secretsmanager:", "ssm:", "ssm-secure:"):
        return None
    target, rest = inside[1], inside[2] if len(inside) == 3 else Literal("")
    if not isinstance(target, (Ref, Attr)) or not isinstance(rest, Literal):
        return None
    if inside[0].value != "secretsmanager:":
        return Attr(target.target, (Literal("Value"),), mark)
    _, _, keys = str(rest.value).partition(f":{SECRET}")
    key = keys.removeprefix(":").partition(":")[0]
    whole = Attr(target.target, (Literal(SECRET),), mark)
    return Call("secret_key", (whole, Literal(key)), mark) if key else whole
