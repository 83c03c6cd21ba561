"""Shares, what happened to them, and notices about it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_FUNCTION = """
CREATE FUNCTION audit_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit events are only ever added'; END $$
"""
_POSTGRESQL_TRIGGER = """
CREATE TRIGGER audit_event_no_{event} BEFORE {event} ON audit_event
FOR EACH STATEMENT EXECUTE FUNCTION audit_event_is_append_only()
"""
_SQLITE_TRIGGER = """
CREATE TRIGGER audit_event_no_{event} BEFORE {event} ON audit_event
BEGIN SELECT RAISE(ABORT, 'audit events are only ever added'); END
"""


def upgrade() -> None:
    """Make the tables."""
    _make_shares()
    _make_parts_of_shares()
    _make_throttle_and_outbox()
    _make_audit()
    _protect_audit()


def _make_shares() -> None:
    """Make the table of shares."""
    op.create_table(
        "share",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("flavour", sa.String(length=16), nullable=False),
        sa.Column("creator", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=True),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("last_end", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_status", sa.String(length=8), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=True),
        sa.Column("title", sa.String(length=255), nullable=True),
        sa.Column("max_openings", sa.BigInteger(), nullable=True),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("notify", sa.Text(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", sa.String(length=255), nullable=True),
        sa.Column("revoked_reason", sa.String(length=255), nullable=True),
        sa.Column(
            "opened", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "denied", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "granted", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "last_opened_at",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("used", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("feed_seq", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("max_openings >= 1", name=op.f("ck_share_max_openings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share")),
    )
    op.create_index(op.f("ix_share_created_at_id"), "share", ["created_at", "id"])
    op.create_index(
        op.f("ix_share_creator_created_at_id"), "share", ["creator", "created_at", "id"]
    )
    op.create_index(
        op.f("ix_share_creator_ends_at_id"), "share", ["creator", "ends_at", "id"]
    )
    op.create_index(
        op.f("ix_share_creator_last_opened_at_id"),
        "share",
        ["creator", "last_opened_at", "id"],
    )
    op.create_index(
        op.f("ix_share_creator_settled_status_created_at_id"),
        "share",
        ["creator", "settled_status", "created_at", "id"],
    )
    op.create_index(
        op.f("ix_share_creator_settled_status_ends_at_id"),
        "share",
        ["creator", "settled_status", "ends_at", "id"],
    )
    op.create_index(
        op.f("ix_share_creator_settled_status_last_opened_at_id"),
        "share",
        ["creator", "settled_status", "last_opened_at", "id"],
    )
    op.create_index(op.f("ix_share_ends_at_id"), "share", ["ends_at", "id"])
    op.create_index(op.f("ix_share_feed_seq"), "share", ["feed_seq"])
    op.create_index(
        op.f("ix_share_last_opened_at_id"), "share", ["last_opened_at", "id"]
    )
    op.create_index(
        op.f("ix_share_settled_status_created_at_id"),
        "share",
        ["settled_status", "created_at", "id"],
    )
    op.create_index(
        op.f("ix_share_settled_status_ends_at_id"),
        "share",
        ["settled_status", "ends_at", "id"],
    )
    op.create_index(
        op.f("ix_share_settled_status_last_opened_at_id"),
        "share",
        ["settled_status", "last_opened_at", "id"],
    )
    op.create_index(
        op.f("ix_share_settled_status_starts_at"),
        "share",
        ["settled_status", "starts_at"],
    )
    op.create_index(op.f("ix_share_used_last_end"), "share", ["used", "last_end"])


def _make_parts_of_shares() -> None:
    """Make what goes when a share goes."""
    op.create_table(
        "share_resource",
        sa.Column("share_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("dicom_uid", sa.String(length=64), nullable=True),
        sa.Column("orthanc_id", sa.String(length=44), nullable=True),
        sa.ForeignKeyConstraint(
            ["share_id"],
            ["share.id"],
            name=op.f("fk_share_resource_share_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("share_id", "position", name=op.f("pk_share_resource")),
    )
    op.create_index(
        op.f("ix_share_resource_dicom_uid"), "share_resource", ["dicom_uid"]
    )
    op.create_index(
        op.f("ix_share_resource_orthanc_id"), "share_resource", ["orthanc_id"]
    )
    op.create_table(
        "share_word",
        sa.Column(
            "word",
            sa.String(length=64).with_variant(
                sa.String(length=64, collation="C"), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("share_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["share_id"],
            ["share.id"],
            name=op.f("fk_share_word_share_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("word", "share_id", name=op.f("pk_share_word")),
    )
    op.create_index(
        op.f("ix_share_word_share_id_word"), "share_word", ["share_id", "word"]
    )
    op.create_table(
        "share_code",
        sa.Column("code_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("share_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["share_id"],
            ["share.id"],
            name=op.f("fk_share_code_share_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("code_sha256", name=op.f("pk_share_code")),
    )
    op.create_index(op.f("ix_share_code_share_id"), "share_code", ["share_id"])
    op.create_table(
        "share_day",
        sa.Column("share_id", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "opened", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "denied", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "granted", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["share_id"],
            ["share.id"],
            name=op.f("fk_share_day_share_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("share_id", "day", name=op.f("pk_share_day")),
    )


def _make_throttle_and_outbox() -> None:
    """Make what is swept by itself."""
    op.create_table(
        "throttle",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttle")),
    )
    op.create_index(op.f("ix_throttle_last_at"), "throttle", ["last_at"])
    op.create_table(
        "outbox",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("share_id", sa.String(length=64), nullable=True),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "attempts", sa.Integer(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("lease", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_created_at"), "outbox", ["created_at"])
    op.create_index(op.f("ix_outbox_due_at"), "outbox", ["due_at"])


def _make_audit() -> None:
    """Make the audit trail, with the hash before its first event."""
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_event",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("share_id", sa.String(length=64), nullable=True),
        sa.Column("actor", sa.String(length=255), nullable=True),
        sa.Column("address", sa.String(length=255), nullable=True),
        sa.Column("user_agent", sa.String(length=255), nullable=True),
        sa.Column("studies", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=255), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_event")),
    )
    op.create_index(op.f("ix_audit_event_at_seq"), "audit_event", ["at", "seq"])
    op.create_index(
        op.f("ix_audit_event_share_id_at_seq"), "audit_event", ["share_id", "at", "seq"]
    )
    op.create_table(
        "audit_study",
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("study", "at", "seq", name=op.f("pk_audit_study")),
    )
    op.create_index(op.f("ix_audit_study_seq"), "audit_study", ["seq"])
    op.execute(
        sa.text(
            "INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, :start)"
        ).bindparams(start=bytes(32))
    )


def _protect_audit() -> None:
    """Let the database itself refuse to change or remove an event."""
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(_SQLITE_TRIGGER.format(event=event))
        return
    op.execute(_FUNCTION)
    for event in ("UPDATE", "DELETE", "TRUNCATE"):
        op.execute(_POSTGRESQL_TRIGGER.format(event=event))
