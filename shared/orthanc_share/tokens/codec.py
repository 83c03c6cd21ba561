"""Share tokens: signed, read and remembered."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import jwt
import msgspec
from jwt.utils import base64url_decode, base64url_encode

from orthanc_share.domain.clock import Clock, utc_now
from orthanc_share.domain.errors import ConfigurationError, InvalidTokenError
from orthanc_share.domain.share import Share
from orthanc_share.tokens.claims import from_claims, to_claims
from orthanc_share.tokens.keyring import Ed25519Key, HmacKey, KeyRing, SigningKey
from orthanc_share.tokens.legacy import from_legacy_claims
from orthanc_share.tokens.sealing import Sealer

TOKEN_TYPE = "share+jwt"  # noqa: S105 - the header `typ`
"""The header `typ`: no other token can be taken for a share (RFC 8725 3.11)."""

LEGACY_TOKEN_TYPES = ("JWT", None)
"""The header `typ` of the predecessors' tokens."""

LEGACY_ALGORITHM = "HS256"
"""The header `alg` of the predecessors' tokens."""

TOKEN_LENGTH_MAX = 16_384
"""Longest token, in characters: what a request line can hold (protocol G.3)."""

CACHE_SIZE = 16_384
"""Verified tokens that are remembered; about 1.5 KB each."""

REMEMBERED_LENGTH_MAX = 2048
"""Longest token that is remembered, in characters; a dozen studies fit into it.

The longest possible ones need 40 KB each, which would be 640 MB.
"""

HEADER_CACHE_SIZE = 64
"""Header segments that are remembered; one for each key in practice."""

_HEADER_NAMES = {"alg", "kid", "typ"}


@dataclass(frozen=True, slots=True)
class LegacyPolicy:
    """Whether tokens of the predecessors are accepted.

    Args:
        accepted: `ACCEPT_LEGACY_TOKENS`.
        until: `LEGACY_TOKENS_UNTIL`, when that ends; None: never.
    """

    accepted: bool = True
    until: datetime | None = None


class ShareCodec:
    """Makes tokens of shares and shares of tokens.

    A signature is checked once for each token; whoever changes a character has
    another token, which is checked again. Time is never remembered.

    Args:
        ring: The keys.
        sealer: Seals the resources of anonymized shares; None: there are none.
        legacy: What holds for tokens of the predecessors.
        clock: The present instant, for `iat`.
    """

    def __init__(
        self,
        ring: KeyRing,
        *,
        sealer: Sealer | None = None,
        legacy: LegacyPolicy | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._ring = ring
        self._sealer = sealer
        self._legacy = LegacyPolicy() if legacy is None else legacy
        self._clock = clock
        self._jws = jwt.PyJWS(algorithms=["HS256", "EdDSA"])
        self._signer = None if ring.signing is None else _Signer(ring.signing)
        self._shares: OrderedDict[str, Share] = OrderedDict()
        self._keys_of_headers: dict[bytes, HmacKey | Ed25519Key] = {}

    def sign(self, share: Share) -> str:
        """Return the token of `share`.

        Raises:
            ConfigurationError: This service has no key that signs.
        """
        if self._signer is None:
            raise ConfigurationError(["This service has no key that signs."])
        claims = to_claims(share, self._clock(), self._sealer)
        return self._signer.sign(msgspec.json.encode(claims))

    def sign_view(
        self, share: Share, view_id: str, now: datetime, duration: timedelta
    ) -> str:
        """Return a viewer token of `share`: the same resources, for a short time.

        Args:
            share: The share, as it is now.
            view_id: Random id of the view, becomes the token's `jti`.
            now: Its start.
            duration: How long it lives; never beyond the share.

        Raises:
            ConfigurationError: This service has no key that signs.
        """
        ends = now + duration
        if share.expires_at is not None:
            ends = min(ends, share.expires_at)
        view = replace(
            share, view_id=view_id, issued_at=now, not_before=now, expires_at=ends
        )
        return self.sign(view)

    def verify(self, token: str, now: datetime) -> Share:
        """Return the share in `token`, valid at `now`.

        Raises:
            ExpiredTokenError: Signed by us, but past its expiry.
            NotYetValidTokenError: Signed by us, but before its start.
            InvalidTokenError: Anything else that is wrong with it.
        """
        share = self.read(token)
        share.check_time(now)
        return share

    def read(self, token: str) -> Share:
        """Return the share in `token` whatever the time.

        Raises:
            InvalidTokenError: Not readable, not signed by us, or of another kind.
        """
        known = self._shares.get(token)
        if known is not None:
            self._shares.move_to_end(token)
            return known
        share = self._read_new(token)
        if len(token) > REMEMBERED_LENGTH_MAX:
            return share
        self._shares[token] = share
        if len(self._shares) > CACHE_SIZE:
            self._shares.popitem(last=False)
        return share

    def _read_new(self, token: str) -> Share:
        if len(token) > TOKEN_LENGTH_MAX or not token.isascii():
            raise InvalidTokenError("The token is too long or not ASCII.")
        signed, _, signature = token.encode().rpartition(b".")
        header, _, payload = signed.partition(b".")
        key = self._keys_of_headers.get(header)
        if key is None:
            return self._read_with_unknown_header(token, header)
        # The quick way, for a header that was seen in a good token before.
        if not key.verifies(signed, signature):
            raise InvalidTokenError("The signature is not ours.")
        return from_claims(_decoded(payload), self._sealer)

    def _read_with_unknown_header(self, token: str, segment: bytes) -> Share:
        header = self._header(token)
        if header.get("typ") in LEGACY_TOKEN_TYPES:
            return self._read_legacy(token, header)
        if header.get("typ") != TOKEN_TYPE or header.keys() != _HEADER_NAMES:
            raise InvalidTokenError("The token is of another kind.")
        key = self._ring.verifying.get(header["kid"])
        if key is None or header["alg"] != key.algorithm:
            raise InvalidTokenError("The token's key is not ours.")
        share = from_claims(self._payload(token, [key]), self._sealer)
        if len(self._keys_of_headers) < HEADER_CACHE_SIZE:
            self._keys_of_headers[segment] = key
        return share

    def _read_legacy(self, token: str, header: dict[str, Any]) -> Share:
        is_theirs = header.get("alg") == LEGACY_ALGORITHM
        is_plain = header.keys() <= {"alg", "typ"}
        if not (self._legacy.accepted and is_theirs and is_plain):
            raise InvalidTokenError("The token is of another kind.")
        payload = self._payload(token, self._ring.legacy)
        return from_legacy_claims(payload, token, self._legacy.until)

    def _header(self, token: str) -> dict[str, Any]:
        try:
            return self._jws.get_unverified_header(token)
        except (jwt.PyJWTError, RecursionError) as error:
            raise InvalidTokenError("The token is not readable.") from error

    def _payload(self, token: str, keys: Iterable[HmacKey | Ed25519Key]) -> bytes:
        signed, _, signature = token.encode().rpartition(b".")
        for key in keys:
            # Not by PyJWT, which writes a warning for every short retired key.
            if key.verifies(signed, signature):
                return _decoded(signed.partition(b".")[2])
        raise InvalidTokenError("The signature is not ours.")


class _Signer:
    """Makes signed tokens with a key that is prepared once, not for every token."""

    def __init__(self, signing: SigningKey) -> None:
        name, jws = signing.public.algorithm, jwt.PyJWS()
        self._algorithm = jws.get_algorithm_by_name(name)
        self._key = self._algorithm.prepare_key(signing.material)
        header = {"alg": name, "kid": signing.public.id, "typ": TOKEN_TYPE}
        self._header = base64url_encode(msgspec.json.encode(header))

    def sign(self, payload: bytes) -> str:
        """Return the compact serialization (RFC 7515 3.1) of a JSON text."""
        signed = self._header + b"." + base64url_encode(payload)
        signature = self._algorithm.sign(signed, self._key)
        return (signed + b"." + base64url_encode(signature)).decode()


def _decoded(segment: bytes) -> bytes:
    try:
        return base64url_decode(segment)
    except ValueError as error:  # signed with our key, but not by us
        raise InvalidTokenError("The token is not readable.") from error
