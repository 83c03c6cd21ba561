"""The memory of the suite: shares, who opened them, what was taken back.

The only home of SQLAlchemy and Alembic. `store.open_store` is the way in; everything
else is reached from the `Store` that it gives.
"""
