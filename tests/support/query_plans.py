"""How a database does what the store asks of it, and whether it reads whole tables."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from orthanc_share.store.store import Store

LARGE = ("share", "share_resource", "share_word", "share_code", "share_day",
         "share_view", "share_denial", "audit_event", "audit_study")  # fmt: skip
"""Tables that grow with use; the others are swept, or have one row."""

MANY = 1000
"""Rows from which sorting is slow."""

Statement = tuple[str, Any]
"""SQL and the values in it."""


@dataclass(frozen=True)
class Step:
    """A part of a plan.

    Attributes:
        text: What the database does.
        fault: What is slow about it; None: nothing.
    """

    text: str
    fault: str | None = None


@contextmanager
def recorded(store: Store) -> Iterator[list[Statement]]:
    """Collect the statements that look for rows while the block runs."""
    found: list[Statement] = []

    def keep(
        _connection: Any, _cursor: Any, sql: str, values: Any, _context: Any, many: Any
    ) -> None:
        if sql.startswith(("SELECT", "UPDATE", "DELETE", "(SELECT")):
            found.append((sql, values[0] if many else values))

    engine = store.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", keep)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", keep)


async def steps(store: Store, statement: Statement) -> list[Step]:
    """Return how the database would do it."""
    sql, values = statement
    async with store.database.write() as connection:
        if store.database.is_sqlite:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
            return [_sqlite_step(row.detail) for row in plan]
        plan = await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", values)
        answer = plan.scalar_one()
        tree = json.loads(answer) if isinstance(answer, str) else answer
        return list(_nodes(tree[0]["Plan"]))


def _sqlite_step(detail: str) -> Step:
    words = detail.split()
    is_scan = words[0] == "SCAN" and words[1] in LARGE and "INDEX" not in words
    is_slow = is_scan or "TEMP B-TREE FOR ORDER BY" in detail
    return Step(detail, detail if is_slow else None)


def _nodes(node: dict[str, Any]) -> Iterator[Step]:
    kind, table, rows = node["Node Type"], node.get("Relation Name"), node["Plan Rows"]
    fault = None
    if kind == "Seq Scan" and table in LARGE:
        fault = f"Seq Scan on {table}"
    if kind == "Sort" and rows > MANY:
        fault = f"Sort of {rows}"
    using = f" using {node['Index Name']}" if "Index Name" in node else ""
    on = f" on {table}" if table else ""
    yield Step(f"{kind}{using}{on}", fault)
    for child in node.get("Plans", ()):
        yield from _nodes(child)
