"""Second factors of links: argon2id, away from the event loop.

Source: RFC 9106 4, second recommended option; the library's defaults.
"""

import asyncio
from functools import partial

import argon2

AT_ONCE = 2
"""Hashes that are made at the same time; each takes 64 MB of memory."""


class Passwords:
    """Makes and compares hashes of passwords, a few at a time.

    Args:
        hasher: Does the work; None: with the library's defaults.
    """

    def __init__(self, hasher: argon2.PasswordHasher | None = None) -> None:
        self._hasher = argon2.PasswordHasher() if hasher is None else hasher
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def hash(self, password: str) -> str:
        """Return the hash to keep of `password`."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, hashed: str, password: str) -> bool:
        """Tell whether `password` is the one that was hashed; it always takes long."""
        async with self._turn:
            return await asyncio.to_thread(partial(self._verify, hashed, password))

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except argon2.exceptions.VerificationError:
            return False
