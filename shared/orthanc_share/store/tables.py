"""The tables, for SQLite and PostgreSQL alike.

Instants are whole seconds since 1970. Secrets are kept as hashes only. No column is
made for the name of a patient.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)

from orthanc_share.store.text import TEXT_LENGTH_MAX, WORD_LENGTH_MAX

ID_LENGTH_MAX = 64
"""Longest id of a share or a view, in characters; ours have 22."""

REASON_LENGTH_MAX = 64
"""Longest reason code of a denial, in characters."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

_Id = String(ID_LENGTH_MAX)
_Text = String(TEXT_LENGTH_MAX)
_Reason = String(REASON_LENGTH_MAX)
# By code points, as SQLite does it: a prefix is a range then, whatever the locale.
_Word = String(WORD_LENGTH_MAX).with_variant(
    String(WORD_LENGTH_MAX, collation="C"), "postgresql"
)
# SQLite numbers rows by itself only if the key is called exactly INTEGER.
_Number = BigInteger().with_variant(Integer(), "sqlite")


def _of_share() -> ForeignKey:
    """Return a reference to a share, which goes when the share goes."""
    return ForeignKey("share.id", ondelete="CASCADE")


def _count(name: str) -> Column[int]:
    """Return a counter that starts at zero."""
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


share = Table(
    "share",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("type", String(64), nullable=False),
    Column("flavour", String(16), nullable=False),
    Column("creator", _Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("issued_at", BigInteger),
    Column("not_before", BigInteger),
    Column("ends_at", BigInteger, nullable=False),  # NEVER: no expiry
    # The latest end that was ever promised: a token may still say so.
    Column("last_end", BigInteger, nullable=False),
    Column("starts_at", BigInteger, nullable=False),  # not_before, ALWAYS: at once
    # True at the instant it was written; `settling` follows the clock.
    Column("settled_status", String(8), nullable=False),
    Column("label", _Text),
    Column("title", _Text),
    Column("max_openings", BigInteger),
    Column("password_hash", _Text),
    Column("notify", Text),
    Column("revoked_at", BigInteger),
    Column("revoked_by", _Text),
    Column("revoked_reason", _Text),
    _count("opened"),
    _count("denied"),
    _count("granted"),
    _count("last_opened_at"),  # 0: never
    Column("used", Boolean, nullable=False, server_default=false()),
    Column("feed_seq", BigInteger),
    CheckConstraint("max_openings >= 1", name="max_openings"),
    # Per order of the list: all, by status, by creator, by both.
    Index(None, "created_at", "id"),
    Index(None, "settled_status", "created_at", "id"),
    Index(None, "creator", "created_at", "id"),
    Index(None, "creator", "settled_status", "created_at", "id"),
    Index(None, "ends_at", "id"),
    Index(None, "settled_status", "ends_at", "id"),
    Index(None, "creator", "ends_at", "id"),
    Index(None, "creator", "settled_status", "ends_at", "id"),
    Index(None, "last_opened_at", "id"),
    Index(None, "settled_status", "last_opened_at", "id"),
    Index(None, "creator", "last_opened_at", "id"),
    Index(None, "creator", "settled_status", "last_opened_at", "id"),
    Index(None, "settled_status", "starts_at"),
    Index(None, "used", "last_end"),
    Index(None, "feed_seq"),
)
"""What was agreed, and what became of it."""

share_resource = Table(
    "share_resource",
    metadata,
    Column("share_id", _Id, _of_share(), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("level", String(16), nullable=False),
    Column("dicom_uid", String(64), index=True),
    Column("orthanc_id", String(44), index=True),
)
"""What a share opens."""

share_word = Table(
    "share_word",
    metadata,
    Column("word", _Word, primary_key=True),
    Column("share_id", _Id, _of_share(), primary_key=True),
    Index(None, "share_id", "word"),
)
"""By which words a share is found."""

share_code = Table(
    "share_code",
    metadata,
    Column("code_sha256", LargeBinary(32), primary_key=True),
    Column("share_id", _Id, _of_share(), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
)
"""The codes of short links; only their hash is known here."""

share_day = Table(
    "share_day",
    metadata,
    Column("share_id", _Id, _of_share(), primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),  # since 1970, UTC
    _count("opened"),
    _count("denied"),
    _count("granted"),
)
"""What happened to a share on one day."""

share_view = Table(
    "share_view",
    metadata,
    Column("view_id", _Id, primary_key=True),
    Column("share_id", _Id, _of_share(), nullable=False, index=True),
    Column("at", BigInteger, nullable=False, index=True),
)
"""Viewer tokens that were counted as an opening, or need not be."""

share_denial = Table(
    "share_denial",
    metadata,
    Column("share_id", _Id, _of_share(), primary_key=True),
    Column("reason", _Reason, primary_key=True),
    Column("hour", Integer, nullable=False),  # since 1970
)
"""The last hour in which a denial became an event: one row per share and reason."""

throttle = Table(
    "throttle",
    metadata,
    Column("key", String(80), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("locked_until", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False, index=True),
)
"""Tries of the second factor, per share and per address."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
"""The last event. Who writes events holds this row until the commit, so that events
are numbered in the order in which they become visible."""

audit_event = Table(
    "audit_event",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("share_id", _Id),
    Column("actor", _Text),
    Column("address", _Text),
    Column("user_agent", _Text),
    Column("studies", Text, nullable=False),  # JSON array of text
    Column("reason", _Text),
    Column("details", Text, nullable=False),  # JSON object
    Column("hash", LargeBinary(32), nullable=False),
    Index(None, "at", "seq"),
    Index(None, "share_id", "at", "seq"),
)
"""What happened; rows are added only, each with a hash over it and all before it."""

audit_study = Table(
    "audit_study",
    metadata,
    Column("study", String(64), primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False, index=True),
)
"""Finds the events of a study; says nothing that the events do not say."""

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("share_id", _Id),
    Column("target", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False, index=True),
    Column("due_at", BigInteger, nullable=False, index=True),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("lease", String(32)),
)
"""Notices that wait to be sent."""

browser_session = Table(
    "browser_session",
    metadata,
    Column("key_sha256", LargeBinary(32), primary_key=True),
    Column("account", _Text, nullable=False),
    Column("proof", LargeBinary(32), nullable=False),
    Column("began_at", BigInteger, nullable=False, index=True),
    Column("seen_at", BigInteger, nullable=False),
)
"""Browsers that are logged in at the page for people; only a hash of their key."""
