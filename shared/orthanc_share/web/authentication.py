"""Who calls: HTTP Basic (RFC 7617) with several users, plain or argon2 passwords."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections import Counter, deque
from collections.abc import Mapping
from http import HTTPStatus

import argon2
from pydantic import SecretStr

from orthanc_share.web.problems import RequestError

CHALLENGE = 'Basic realm="orthanc-share", charset="UTF-8"'
"""The header `WWW-Authenticate`. Source: RFC 7617 2 and 2.1."""

REMEMBERED_PER_USER = 4
"""Good `Authorization` headers that are remembered, so that argon2 runs once.

One login can be spelled in several ways; nobody pushes out another user's.
"""

CONCURRENT_HASHES = 1
"""argon2 checks at once: a flood of wrong passwords must not take all processors."""

WAITING_HASHES_MAX = 16
"""argon2 checks that may wait; more are refused, so that the flood drains."""

WAITING_HASHES_PER_CLIENT = 4
"""argon2 checks that may wait for one address: others still get their turn."""

ANYBODY = "anybody"
"""Name of the caller where the service runs without authentication."""

_ARGON2 = "$argon2"


class Authenticator:
    """Tells which user sends an `Authorization` header.

    Args:
        users: Names with passwords or argon2 hashes; None: everybody may call.
    """

    def __init__(self, users: Mapping[str, SecretStr] | None) -> None:
        self._users = users
        self._salt = secrets.token_bytes(32)
        self._known: dict[bytes, str] = {}
        self._digests_of: dict[str, deque[bytes]] = {}
        self._hasher = argon2.PasswordHasher()
        # Checked for unknown users, so that they take as long as known ones.
        self._decoy = (
            self._hasher.hash(secrets.token_hex()) if self._has_hashes() else ""
        )
        self._hashing = asyncio.Semaphore(CONCURRENT_HASHES)
        self._waiting: Counter[str] = Counter()

    def known(self, header: bytes | None) -> str | None:
        """Return the user of a header that was accepted before, at once."""
        if self._users is None:
            return ANYBODY
        if header is None:
            return None
        # The digest is keyed, so that its look-up tells nothing by its timing.
        return self._known.get(self._digest(header))

    async def authenticate(self, header: bytes | None, client: str = "") -> str:
        """Return the user who sends `header`.

        Args:
            header: The value of `Authorization`, if there is one.
            client: Address of the caller.

        Raises:
            RequestError: 401 with a challenge, or 503 when too many are checked.
        """
        known = self.known(header)
        if known is not None:
            return known
        if header is None:
            raise _unauthorized("Not authenticated.")
        name, password = _credentials(header)
        if not await self._is_right(name, password, client):
            raise _unauthorized("The user name or the password is wrong.")
        self._remember(header, name)
        return name

    def _remember(self, header: bytes, name: str) -> None:
        digest = self._digest(header)
        digests = self._digests_of.setdefault(name, deque())
        if digest not in digests:
            digests.append(digest)
            self._known[digest] = name
        if len(digests) > REMEMBERED_PER_USER:
            del self._known[digests.popleft()]

    def _digest(self, header: bytes) -> bytes:
        # A keyed hash at half the price of an HMAC: it is made for every question.
        return hashlib.blake2b(header, key=self._salt, digest_size=32).digest()

    def _has_hashes(self) -> bool:
        users = self._users or {}
        return any(p.get_secret_value().startswith(_ARGON2) for p in users.values())

    async def _is_right(self, name: str, password: str, client: str) -> bool:
        stored = (self._users or {}).get(name)
        expected = self._decoy if stored is None else stored.get_secret_value()
        is_hash = expected.startswith(_ARGON2)
        matches = hmac.compare_digest(
            self._digest(expected.encode()), self._digest(password.encode())
        )
        if self._decoy:
            # Where one user has a hash, every login takes the time of a hash.
            hashed = expected if is_hash else self._decoy
            verified = await self._hash_matches(hashed, password, client)
            matches = verified if is_hash else matches
        return matches and stored is not None

    async def _hash_matches(self, expected: str, password: str, client: str) -> bool:
        if (
            self._waiting.total() >= WAITING_HASHES_MAX
            or self._waiting[client] >= WAITING_HASHES_PER_CLIENT
        ):
            raise RequestError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "Too many logins are checked at the moment.",
                {"Retry-After": "1"},
            )
        self._waiting[client] += 1
        try:
            async with self._hashing:
                return await asyncio.to_thread(self._verify, expected, password)
        finally:
            self._waiting[client] -= 1
            if not self._waiting[client]:
                del self._waiting[client]

    def _verify(self, expected: str, password: str) -> bool:
        try:
            return self._hasher.verify(expected, password)
        except (
            argon2.exceptions.VerificationError,
            argon2.exceptions.InvalidHashError,
        ):
            return False


def has_broken_argon2_hash(password: str) -> bool:
    """Tell whether `password` is meant as an argon2 hash that no login can match."""
    if not password.startswith(_ARGON2):
        return False
    try:
        argon2.extract_parameters(password)
    except argon2.exceptions.InvalidHashError:
        return True
    return False


def _credentials(header: bytes) -> tuple[str, str]:
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic":
        raise _unauthorized("Only HTTP Basic is accepted here.")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise _unauthorized("The credentials are not readable.") from None
    name, colon, password = decoded.partition(":")
    if not colon:
        raise _unauthorized("The credentials are not readable.")
    return name, password


def _unauthorized(detail: str) -> RequestError:
    challenge = {"WWW-Authenticate": CHALLENGE}
    return RequestError(HTTPStatus.UNAUTHORIZED, detail, challenge)
