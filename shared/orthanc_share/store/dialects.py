"""What both databases can do and SQLAlchemy's common form cannot say."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def insert_for(connection: AsyncConnection) -> Any:
    """Return the `insert` that can meet a row; both write it the same way."""
    is_sqlite = connection.dialect.name == "sqlite"
    return sqlite.insert if is_sqlite else postgresql.insert
