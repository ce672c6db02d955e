"""What a template asks the world outside of it: exports and outputs of other stacks, records, secrets.

Sources: CloudFormation User Guide (Fn::ImportValue, Fn::GetStackOutput, AWS::SSM::Parameter::Value, dynamic references).
"""

from __future__ import annotations

from typing import Any, Protocol

from stackengine.evaluate.functions.cloudformation import ToldError, secret_key
from stackengine.model.values import Sensitive, Value, has_sensitive, reveal

QUESTIONS = ("import_value", "stack_output", "record_value", "dynamic_reference")
"""Functions that are answered from outside."""


class Outside(Protocol):
    """Other stacks of the store."""

    def export(self, name: str) -> Value:
        """What is exported under a name; None where nothing is."""

    def output(self, stack: str, name: str) -> Value:
        """An output of another stack; LookupError says what is not there."""

    def record(self, name: str) -> Value:
        """A record (``AWS::SSM::Parameter``) by name; Sensitive for a secret one; None where there is none."""

    def secret(self, name: str) -> Value:
        """A secret (``AWS::SecretsManager::Secret``) by name or id, Sensitive; None where there is none."""


class AnswerError(Exception):
    """The question has no answer; the message is for people."""


def answer(outside: Outside, question: str, args: list[Any]) -> Value:
    """The answer; raises AnswerError."""
    match question, args:
        case "import_value", [name]:
            found = outside.export(str(name))
            if found is None:
                raise AnswerError(f"No export named {name} found.")
            return found
        case "stack_output", [stack, name]:
            try:
                return outside.output(str(stack), str(name))
            except LookupError as error:
                raise AnswerError(str(error.args[0])) from error
        case "record_value", [name, as_list]:
            return _record(outside, str(name), as_list=bool(as_list))
        case "dynamic_reference", [text]:
            return dynamic(outside, str(text))
    raise AnswerError(f"{question}: the wrong number of arguments")


def _record(outside: Outside, name: str, *, as_list: bool = False) -> Value:
    found = outside.record(name)
    if found is None:
        raise AnswerError(f"Unable to fetch parameters [{name}] from parameter store for this account.")
    secret, plain = has_sensitive(found), reveal(found)
    if as_list and not isinstance(plain, list):
        plain = [part.strip() for part in str(plain).split(",")]
    elif not as_list and isinstance(plain, list):
        plain = ",".join(map(str, plain))
    return Sensitive(plain) if secret else plain


def dynamic(outside: Outside, text: str) -> Value:
    """``ssm:name:version``, ``ssm-secure:name:version`` or ``secretsmanager:id:SecretString:key:stage:version``."""
    service, _, rest = text.partition(":")
    if not rest:
        raise AnswerError(f"Template error: the dynamic reference {{{{resolve:{text}}}}} is malformed")
    match service:
        case "ssm" | "ssm-secure":
            name, _, version = rest.rpartition(":")
            found = _record(outside, name if name and version.isdigit() else rest)
            return found if service == "ssm" or isinstance(found, Sensitive) else Sensitive(found)
        case "secretsmanager":
            return _secret(outside, rest)
        case _:
            raise AnswerError(f"Template error: the dynamic reference {{{{resolve:{text}}}}} names no known service: ssm, ssm-secure, secretsmanager")


def _secret(outside: Outside, rest: str) -> Value:
    name, found, keys = rest.partition(":SecretString")
    if not found and not name.startswith("arn:"):
        name, _, keys = rest.partition(":")
        keys = ":" + keys
    name = name.rpartition(":secret:")[2] if name.startswith("arn:") else name
    value = outside.secret(name)
    if value is None:
        raise AnswerError(f"Secrets Manager can't find the specified secret: {name}")
    key = keys.removeprefix(":").partition(":")[0]
    if not key:
        return value
    try:
        return Sensitive(secret_key(reveal(value), key))
    except ToldError as error:
        raise AnswerError(str(error)) from error
