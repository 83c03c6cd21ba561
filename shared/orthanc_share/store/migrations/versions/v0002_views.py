"""Viewer tokens that were counted, and when a denial last became an event."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "share_view",
        sa.Column("view_id", sa.String(length=64), nullable=False),
        sa.Column("share_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["share_id"],
            ["share.id"],
            name=op.f("fk_share_view_share_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("view_id", name=op.f("pk_share_view")),
    )
    op.create_index(op.f("ix_share_view_share_id"), "share_view", ["share_id"])
    op.create_index(op.f("ix_share_view_at"), "share_view", ["at"])
    op.create_table(
        "share_denial",
        sa.Column("share_id", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["share_id"],
            ["share.id"],
            name=op.f("fk_share_denial_share_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("share_id", "reason", name=op.f("pk_share_denial")),
    )
