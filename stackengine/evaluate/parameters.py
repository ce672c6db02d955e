"""The parameters of one level: given by people or by a parent's expressions, each worked out when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from stackengine.evaluate.bind import accepted
from stackengine.evaluate.trail import Trail
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Call, Expr, List, Literal, Map, Param
from stackengine.model.mark import NOWHERE, Mark
from stackengine.model.template import Parameter, Template
from stackengine.model.values import OMIT, Sensitive, Unknown, Value


class Bindings(Protocol):
    """Where values for parameters come from."""

    def names(self) -> Iterator[tuple[str, Mark]]:
        """What is given, and where."""

    def get(self, name: str) -> tuple[Value, Mark] | None:
        """A value and its place; None: nothing is given."""

    def missing(self, parameter: Parameter, diagnostics: Diagnostics) -> Value:
        """Report that a parameter has no value; what stands in for it."""

    def unknown(self, name: str, mark: Mark, known: Mapping[str, Parameter], diagnostics: Diagnostics) -> None:
        """Report a value for a parameter that is not there."""


class Given:
    """From people: the command line, files."""

    def __init__(self, values: Mapping[str, Any], marks: Mapping[str, Mark] | None = None) -> None:
        self._values, self._marks = values, marks or {}

    def names(self) -> Iterator[tuple[str, Mark]]:
        """What is given."""
        return ((n, self._marks.get(n, NOWHERE)) for n in self._values)

    def get(self, name: str) -> tuple[Value, Mark] | None:
        """The value as given."""
        return (self._values[name], self._marks.get(name, NOWHERE)) if name in self._values else None

    def missing(self, parameter: Parameter, diagnostics: Diagnostics) -> Value:
        """P102; the parameter itself stays behind, so that everything else can be checked."""
        summary = f"Parameters: [{parameter.name}] must have values" if parameter.declared else f"parameter {parameter.name} needs a value"
        diagnostics.error("P102", summary, parameter.mark, f"say --param {parameter.name}=…")
        return Unknown(Param(parameter.name, parameter.mark))

    def unknown(self, name: str, mark: Mark, known: Mapping[str, Parameter], diagnostics: Diagnostics) -> None:
        """P101."""
        diagnostics.error("P101", f"the template has no parameter {name}", mark, did_you_mean(name, known))


class Passed:
    """From a parent: expressions of its scope."""

    def __init__(self, resource: str, expr: Expr, evaluate: Callable[[Expr], Value], mark: Mark) -> None:
        self._resource, self._expr, self._evaluate, self._mark = resource, expr, evaluate, mark

    def names(self) -> Iterator[tuple[str, Mark]]:
        """What is passed; nothing can be said where the whole is computed and not known yet."""
        if isinstance(self._expr, Map):
            return ((e.key, e.key_mark) for e in self._expr.entries)
        whole = self._evaluate(self._expr)
        return ((n, self._expr.mark) for n in (whole if isinstance(whole, dict) else ()))

    def get(self, name: str) -> tuple[Value, Mark] | None:
        """The evaluated value; one that is null or left out counts as not given, as in Heat."""
        expr: Expr | None
        if isinstance(self._expr, Map):
            expr = self._expr.get(name)
        else:
            expr = Call("dig", (self._expr, List((Literal(name),))), self._expr.mark)
        value = self._evaluate(expr) if expr is not None else None
        return None if expr is None or value is None or value is OMIT else (value, expr.mark if expr.mark != NOWHERE else self._mark)

    def missing(self, parameter: Parameter, diagnostics: Diagnostics) -> Value:
        """N105."""
        summary = f"{self._resource} needs a value for the parameter {parameter.name}"
        or_else = ", and parameter_defaults of an environment file may give it" if parameter.rules == "heat" else ""
        diagnostics.error("N105", summary, self._mark, f"it is declared at {parameter.mark}{or_else}")
        return Unknown(Param(parameter.name, parameter.mark))

    def unknown(self, name: str, mark: Mark, known: Mapping[str, Parameter], diagnostics: Diagnostics) -> None:
        """N104."""
        diagnostics.error("N104", f"the template of {self._resource} has no parameter {name}", mark, did_you_mean(name, known))


class Parameters(Mapping[str, Value]):
    """Every parameter and pseudo parameter of a level."""

    def __init__(
        self, template: Template, scope: str, bindings: Bindings, defaults: Mapping[str, Any], pseudo: Mapping[str, Value],
        trail: Trail, diagnostics: Diagnostics, evaluate: Callable[[Expr], Value],
    ) -> None:  # fmt: skip
        self._declared, self._scope, self._bindings, self._defaults = template.parameters, scope, bindings, defaults
        self._pseudo, self._trail, self._diagnostics, self._evaluate = pseudo, trail, diagnostics, evaluate
        self._values: dict[str, Value] = {}

    def check_names(self) -> None:
        """Report values for parameters that are not there."""
        for name, mark in self._bindings.names():
            if name not in self._declared and name not in self._pseudo:
                self._bindings.unknown(name, mark, self._declared, self._diagnostics)

    def __getitem__(self, name: str) -> Value:
        if name not in self._values:
            parameter = self._declared.get(name)
            if parameter is None:
                return self._pseudo[name]
            label = f"parameter {self._scope}/{name}" if self._scope else f"parameter {name}"
            with self._trail.enter(label, parameter.mark):
                self._values[name] = self._bound(parameter)
        return self._values[name]

    def _bound(self, parameter: Parameter) -> Value:
        found = self._bindings.get(parameter.name)
        mark = found[1] if found is not None else NOWHERE
        if found is None and parameter.name in self._defaults:
            found = (self._defaults[parameter.name], NOWHERE)
        if found is None and parameter.default is not None:
            found = (self._evaluate(parameter.default), parameter.default.mark)
        if found is None:
            value = self._bindings.missing(parameter, self._diagnostics)
        else:
            value = accepted(parameter, found[0], mark if mark != NOWHERE else parameter.mark, self._diagnostics)
        if not parameter.sensitive or isinstance(value, Sensitive):
            return value
        return Unknown(Call("sensitive", (value.expr,), value.expr.mark)) if isinstance(value, Unknown) else Sensitive(value)

    def __contains__(self, name: object) -> bool:
        return name in self._declared or name in self._pseudo

    def __iter__(self) -> Iterator[str]:
        return iter({**self._declared, **self._pseudo})

    def __len__(self) -> int:
        return len({**self._declared, **self._pseudo})
