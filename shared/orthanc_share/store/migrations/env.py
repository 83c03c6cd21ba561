"""Alembic's entry: runs the changes on the connection that it is given."""

from alembic import context

from orthanc_share.store.tables import metadata

_connection = context.config.attributes["connection"]
context.configure(
    connection=_connection,
    target_metadata=metadata,
    render_as_batch=_connection.dialect.name == "sqlite",
)
# The caller's transaction is the one: it holds the lock.
with context.begin_transaction():
    context.run_migrations()
