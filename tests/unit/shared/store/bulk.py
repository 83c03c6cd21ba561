"""A registry as it is after years: many shares, most of them over, and their events."""

from datetime import datetime

from orthanc_share.store.store import Store
from tests.unit.shared.store.samples import NOW, run_sql

_NUMBERS_SQLITE = (
    "(WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t"
    " WHERE n < {count}) SELECT n FROM t) AS numbers"
)
_NUMBERS_POSTGRESQL = "generate_series(1, {count}) AS numbers(n)"

_SHARES = """
INSERT INTO share (id, type, flavour, creator, created_at, ends_at, last_end,
  starts_at, settled_status, title, max_openings, revoked_at, revoked_by, opened,
  denied, granted, last_opened_at, used, feed_seq)
SELECT 'share-' || CAST(n AS TEXT), 'stone-viewer-publication', 'standard',
  CASE WHEN n % 10 = 0 THEN 'account:rare-' || CAST(n % 1000 AS TEXT)
       ELSE 'account:doctor' END,
  {at} - 86400 * 400 + n * 300,
  CASE WHEN n % 100 > 3 THEN {at} - n ELSE {at} + 86400 + n END,
  CASE WHEN n % 100 > 3 THEN {at} - n ELSE {at} + 86400 + n END,
  CASE WHEN n % 100 = 3 THEN {at} + 3600 ELSE 0 END,
  CASE n % 100 WHEN 0 THEN 'active' WHEN 1 THEN 'revoked' WHEN 2 THEN 'used-up'
       WHEN 3 THEN 'not-yet' ELSE 'expired' END,
  'Title ' || CAST(n AS TEXT),
  CASE WHEN n % 100 = 2 THEN 1 END,
  CASE WHEN n % 100 = 1 THEN {at} END,
  CASE WHEN n % 100 = 1 THEN 'account:doctor' END,
  CASE WHEN n % 100 = 2 THEN 1 ELSE 0 END, 0, 0,
  CASE WHEN n % 3 = 0 THEN {at} - n ELSE 0 END, true,
  CASE WHEN n % 100 = 1 THEN n END
FROM {numbers}
"""
_RESOURCES = """
INSERT INTO share_resource (share_id, position, level, dicom_uid, orthanc_id)
SELECT 'share-' || CAST(n AS TEXT), 0, 'study', '1.2.' || CAST(n / 3 AS TEXT), NULL
FROM {numbers}
"""
_WORDS = """
INSERT INTO share_word (word, share_id)
SELECT word, 'share-' || CAST(n AS TEXT) FROM {numbers}, (SELECT 'title' AS word
  UNION ALL SELECT 'doctor' UNION ALL SELECT 'number') AS words
UNION ALL SELECT 'w' || CAST(n AS TEXT), 'share-' || CAST(n AS TEXT) FROM {numbers}
"""
_CODES = """
INSERT INTO share_code (code_sha256, share_id, created_at)
SELECT CAST('code-' || CAST(n AS TEXT) AS {bytes}), 'share-' || CAST(n AS TEXT), 0
FROM {numbers}
"""
_DAYS = """
INSERT INTO share_day (share_id, day, opened)
SELECT 'share-' || CAST(n AS TEXT), 20000, 1 FROM {numbers}
"""
_VIEWS = """
INSERT INTO share_view (view_id, share_id, at)
SELECT 'view-' || CAST(n AS TEXT), 'share-' || CAST(n AS TEXT), {at} - n
FROM {numbers}
"""
_DENIALS = """
INSERT INTO share_denial (share_id, reason, hour)
SELECT 'share-' || CAST(n AS TEXT), 'expired', 0 FROM {numbers}
"""
_EVENTS = """
INSERT INTO audit_event (seq, at, kind, share_id, studies, details, hash)
SELECT n, {at} - 86400 * 400 + n * 30, 'opened', 'share-' || CAST(n / 10 AS TEXT),
  '[]', '{{}}', CAST('hash' AS {bytes})
FROM {numbers}
"""
_STUDIES = """
INSERT INTO audit_study (study, at, seq)
SELECT '1.2.' || CAST(n / 30 AS TEXT), {at} - 86400 * 400 + n * 30, n FROM {numbers}
"""


async def fill(store: Store, shares: int, events: int, now: datetime = NOW) -> None:
    """Put so many shares and events into an empty store, as it is at `now`."""
    is_sqlite = store.database.is_sqlite
    numbers = _NUMBERS_SQLITE if is_sqlite else _NUMBERS_POSTGRESQL
    kind = "BLOB" if is_sqlite else "BYTEA"
    for statements, count in (
        ((_SHARES, _RESOURCES, _WORDS, _CODES, _DAYS, _VIEWS, _DENIALS), shares),
        ((_EVENTS, _STUDIES), events),
    ):
        source = numbers.format(count=count)
        values = {"numbers": source, "bytes": kind, "at": int(now.timestamp())}
        sql = [one.format(**values) for one in statements]
        await run_sql(store, *sql)
    await run_sql(store, f"UPDATE audit_head SET seq = {events}")  # noqa: S608
    if not is_sqlite:
        await run_sql(store, "ANALYZE")
