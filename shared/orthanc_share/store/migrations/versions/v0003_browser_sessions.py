"""Browsers that are logged in at the page for people."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "browser_session",
        sa.Column("key_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account", sa.String(length=255), nullable=False),
        sa.Column("proof", sa.LargeBinary(length=32), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_sha256", name=op.f("pk_browser_session")),
    )
    op.create_index(
        op.f("ix_browser_session_began_at"), "browser_session", ["began_at"]
    )
