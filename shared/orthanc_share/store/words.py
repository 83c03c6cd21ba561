"""Finds shares by words, whether a word is rare or in every share.

A rare word gives its few shares, which are sorted then. Of common words the shares
would be too many: there the list goes in its own order, and each share is asked whether
it has the word; it is not long until enough have.
"""

from sqlalchemy import ColumnElement, and_, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from orthanc_share.store.tables import share, share_word
from orthanc_share.store.text import LAST_CHARACTER, words_of

RARE = 1000
"""A word that so many shares have, or fewer, is rare."""

SEARCHED_MAX = 16
"""Words of one search; further ones do not narrow."""


async def has_words(connection: AsyncConnection, text: str) -> ColumnElement[bool]:
    """Return what asks of a share that it has all words of `text`, by their beginnings.

    A text without any word asks for what no share has.
    """
    words = words_of(text)[:SEARCHED_MAX]
    if not words:
        return share.c.id.is_(None)
    counts = {word: await _count(connection, word) for word in words}
    rarest = min(words, key=counts.__getitem__)
    conditions = [_has(word) for word in words]
    if counts[rarest] <= RARE:
        owners = select(share_word.c.share_id).where(_begins(rarest))
        conditions[words.index(rarest)] = share.c.id.in_(owners)
    return and_(*conditions)


def _begins(word: str) -> ColumnElement[bool]:
    """Return the range of the words that begin so, for which there is an index."""
    found = share_word.c.word
    return and_(found >= word, found < word + LAST_CHARACTER)


def _has(word: str) -> ColumnElement[bool]:
    owned = share_word.c.share_id == share.c.id
    return select(literal(1)).where(owned, _begins(word)).exists()


async def _count(connection: AsyncConnection, word: str) -> int:
    """Return how many shares have the word; beyond `RARE` it is not counted on."""
    some = select(literal(1)).select_from(share_word).where(_begins(word))
    some = some.order_by(share_word.c.word).limit(RARE + 1)  # so it is by index
    query = select(func.count()).select_from(some.subquery())
    return (await connection.execute(query)).scalar_one()
