"""One statement for many rows: compiled once, its rows handed to the driver without what SQLAlchemy does for each of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from stackengine.model.codec import Written

_MADE_FOR = "sqlite"
"""The driver whose statements take their parameters by position, and JSON as text; others go the ordinary way."""


def execute_many(connection: sa.Connection, statement: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Execute ``statement`` for every row; all rows have the same keys."""
    if not rows:
        return
    if connection.dialect.name != _MADE_FOR:
        connection.execute(statement, list(rows))
        return
    text, names, documents = _compiled(statement, tuple(rows[0]), connection.dialect)
    values = [[_text(row[n]) if n in documents else row[n] for n in names] for row in rows]
    connection.exec_driver_sql(text, [tuple(v) for v in values])


@lru_cache(maxsize=64)
def _compiled(statement: Any, keys: tuple[str, ...], dialect: sa.Dialect) -> tuple[str, tuple[str, ...], frozenset[str]]:
    """(SQL, the rows' keys in the order of its parameters, those of them that are JSON)."""
    compiled = statement.compile(dialect=dialect, column_keys=list(keys))
    documents = frozenset(n for n in keys if isinstance(compiled.binds[n].type, sa.JSON))
    return str(compiled), tuple(compiled.positiontup), documents


def _text(document: Any) -> str:
    """JSON text. An instance that begins stands in its event and in its row: it is encoded once."""
    if type(document) is Written:
        return document.text
    begun = document.get("instance") if type(document) is dict else None
    if type(begun) is not Written:
        return json.dumps(document)
    rest = {k: v for k, v in document.items() if k != "instance"}
    return f'{{"instance": {begun.text}{", " if rest else ""}{json.dumps(rest)[1:]}'
