"""What both databases can do and SQLAlchemy's common form cannot say."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ARRAY, ColumnElement, String, any_, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def insert_for(connection: AsyncConnection) -> Any:
    """Return the `insert` that can meet a row; both write it the same way."""
    is_sqlite = connection.dialect.name == "sqlite"
    return sqlite.insert if is_sqlite else postgresql.insert


def is_among(
    connection: AsyncConnection, column: ColumnElement[str], texts: Sequence[str]
) -> ColumnElement[bool]:
    """Return the condition that `column` is one of `texts`, however many.

    They are one value of the statement: each on its own takes longer to write than to
    look up.
    """
    if connection.dialect.name == "sqlite":
        listed = func.json_each(msgspec.json.encode(texts).decode())
        return column.in_(select(listed.table_valued("value").c.value))
    return column == any_(literal(list(texts), ARRAY(String)))
