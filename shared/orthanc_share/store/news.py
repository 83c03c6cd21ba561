"""What became of shares, as services that validate are told."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class News:
    """What became of one share; a later one about the same share replaces it.

    Args:
        share_id: Which.
        is_revoked: Whether it was taken back.
        expires_at: Its end now; None: never. Its token may say another.
        needs_landing: Whether it has a limit or a second factor, so that its long
            token opens nothing by itself.
    """

    share_id: str
    is_revoked: bool
    expires_at: datetime | None
    needs_landing: bool


@dataclass(frozen=True, slots=True)
class NewsPage:
    """Some news.

    Args:
        news: Oldest first.
        cursor: To ask from the next time.
        more: Whether to ask again at once.
        is_fresh_start: The database is older than the cursor, as after a backup was
            restored: all that was known before is to be forgotten.
    """

    news: tuple[News, ...]
    cursor: int
    more: bool
    is_fresh_start: bool
