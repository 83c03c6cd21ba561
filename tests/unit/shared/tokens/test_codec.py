"""Tokens: signed, read, and attacked."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given, strategies as st

from orthanc_share.domain.errors import (
    ConfigurationError,
    ExpiredTokenError,
    InvalidTokenError,
    NotYetValidTokenError,
)
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import RESOURCES_MAX, Flavour, Share, ShareType
from orthanc_share.tokens import codec as codec_module
from orthanc_share.tokens.claims import to_claims
from orthanc_share.tokens.codec import (
    REMEMBERED_LENGTH_MAX,
    TOKEN_LENGTH_MAX,
    LegacyPolicy,
    ShareCodec,
)
from orthanc_share.tokens.keyring import KeyRing
from orthanc_share.tokens.sealing import Sealer
from tests.support.settings import DEIDENTIFICATION_KEY, SECRET_KEY
from tests.support.strategies import NOW, shares
from tests.unit.shared.tokens.keys import (
    OLD_SECRET_KEY,
    OTHER_SIGNING_KEY,
    OTHER_VERIFICATION_KEY,
    SHORT_SECRET_KEY,
    SIGNING_KEY,
    VERIFICATION_KEY,
    ring,
)

UID = "1.2.276.0.99.1"
ORTHANC_ID = "11111111-22222222-33333333-44444444-55555555"
HOUR = timedelta(hours=1)
SHARE = Share(
    "share-1",
    ShareType.STONE_PUBLICATION,
    (Resource(Level.STUDY, UID, ORTHANC_ID),),
    issued_at=NOW,
    not_before=NOW,
    expires_at=NOW + HOUR,
)
LEGACY_CLAIMS = {
    "id": "referral-0815",
    "studies": [{"dicom_uid": UID, "orthanc_id": ORTHANC_ID}],
    "anonymized": False,
    "type": "stone-viewer-publication",
    "expiration_date": "2031-05-04T10:00:00+00:00",
}
SEALER = Sealer(DEIDENTIFICATION_KEY.encode())
HMAC_RING = ring(SECRET_KEY)
ED_RING = ring(SECRET_KEY, signing_key=SIGNING_KEY)


def present() -> datetime:
    return NOW


def make_codec(keys: KeyRing = HMAC_RING, **changes: Any) -> ShareCodec:
    options: dict[str, Any] = {"sealer": SEALER, "clock": present}
    return ShareCodec(keys, **options | changes)


def base64url(raw: bytes | str) -> str:
    given_bytes = raw.encode() if isinstance(raw, str) else raw
    return base64.urlsafe_b64encode(given_bytes).rstrip(b"=").decode()


def forged(header: Any, payload: Any, key: str = SECRET_KEY) -> str:
    """Return a token with any header and payload, signed rightly by HMAC-SHA256."""
    head = header if isinstance(header, str) else json.dumps(header)
    body = payload if isinstance(payload, str) else json.dumps(payload)
    signed = f"{base64url(head)}.{base64url(body)}"
    digest = hmac.digest(key.encode(), signed.encode(), hashlib.sha256)
    return f"{signed}.{base64url(digest)}"


def legacy(key: str = SECRET_KEY, **changes: Any) -> str:
    return forged({"typ": "JWT", "alg": "HS256"}, LEGACY_CLAIMS | changes, key)


def header_of(keys: KeyRing) -> dict[str, Any]:
    assert keys.signing is not None
    public = keys.signing.public
    return {"alg": public.algorithm, "kid": public.id, "typ": "share+jwt"}


CLAIMS = to_claims(SHARE, NOW, SEALER)
HEADER = header_of(HMAC_RING)


@pytest.fixture(params=["HS256", "EdDSA"])
def keys(request: pytest.FixtureRequest) -> KeyRing:
    """Give a ring that signs with each algorithm."""
    return HMAC_RING if request.param == "HS256" else ED_RING


@given(share=shares())
def test_what_was_signed_is_read_again(share: Share) -> None:
    for keys in (HMAC_RING, ED_RING):
        token = make_codec(keys).sign(share)
        reader = make_codec(keys)
        assert reader.read(token) == share
        assert reader.read(token) == share  # and once it is known


def test_a_token_is_a_jwt_that_others_can_read(keys: KeyRing) -> None:
    assert keys.signing is not None
    token = make_codec(keys).sign(SHARE)
    public = (
        SECRET_KEY
        if keys is HMAC_RING
        else load_pem_private_key(SIGNING_KEY.encode(), None).public_key()
    )
    algorithm = keys.signing.public.algorithm
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
    claims = jwt.decode(
        token,
        public,  # type: ignore[arg-type]
        algorithms=[algorithm],
        audience="orthanc-share:standard",
        issuer="orthanc-share",
        options=options,
    )
    assert claims == CLAIMS
    assert jwt.get_unverified_header(token) == header_of(keys)


def test_the_clock_gives_the_start_of_a_share_that_has_none() -> None:
    bare = replace(SHARE, issued_at=None, not_before=None)
    codec = make_codec()
    assert codec.read(codec.sign(bare)) == SHARE


def test_verify_looks_at_the_time_every_time() -> None:
    codec = make_codec()
    token = codec.sign(SHARE)
    assert codec.verify(token, NOW) == SHARE
    with pytest.raises(ExpiredTokenError):
        codec.verify(token, NOW + HOUR)
    with pytest.raises(NotYetValidTokenError):
        codec.verify(token, NOW - HOUR)
    assert codec.verify(token, NOW) == SHARE


def test_a_service_without_signing_key_makes_no_tokens() -> None:
    public_only = make_codec(ring(verification_keys=VERIFICATION_KEY))
    with pytest.raises(ConfigurationError, match="no key that signs"):
        public_only.sign(SHARE)


def test_public_keys_read_what_the_private_one_signed() -> None:
    token = make_codec(ring(signing_key=SIGNING_KEY)).sign(SHARE)
    both = ring(verification_keys=OTHER_VERIFICATION_KEY + VERIFICATION_KEY)
    assert make_codec(both).read(token) == SHARE
    other = make_codec(ring(verification_keys=OTHER_VERIFICATION_KEY))
    with pytest.raises(InvalidTokenError):
        other.read(token)


def test_links_outlive_a_change_of_keys() -> None:
    old = make_codec(ring(OLD_SECRET_KEY)).sign(SHARE)
    rotated = make_codec(ring(SECRET_KEY, retired=(OLD_SECRET_KEY,)))
    assert rotated.read(old) == SHARE
    new = rotated.sign(SHARE)
    assert make_codec(ring(SECRET_KEY)).read(new) == SHARE
    with pytest.raises(InvalidTokenError):
        make_codec(ring(SECRET_KEY)).read(old)
    to_ed25519 = make_codec(ring(SECRET_KEY, signing_key=SIGNING_KEY))
    assert to_ed25519.read(new) == SHARE
    assert make_codec(ED_RING).read(to_ed25519.sign(SHARE)) == SHARE


def test_an_anonymized_token_shows_and_opens_nothing_without_the_key() -> None:
    hidden = replace(SHARE, flavour=Flavour.ANONYMIZED)
    token = make_codec().sign(hidden)
    payload = base64.urlsafe_b64decode(token.split(".")[1] + "==")
    assert UID.encode() not in payload
    assert ORTHANC_ID.encode() not in payload
    assert make_codec().read(token) == hidden
    with pytest.raises(InvalidTokenError):
        make_codec(sealer=None).read(token)
    with pytest.raises(InvalidTokenError):
        make_codec(sealer=None).sign(hidden)


@given(
    place=st.integers(0, 10**6),
    other=st.characters(max_codepoint=0x2FF),
    warm=st.booleans(),
)
def test_any_changed_character_is_another_token_and_refused(
    *, place: int, other: str, warm: bool
) -> None:
    for keys in (HMAC_RING, ED_RING):
        codec = make_codec(keys)
        token = codec.sign(SHARE)
        if warm:
            codec.read(token)
        at = place % len(token)
        changed = token[:at] + other + token[at + 1 :]
        if changed == token:
            continue
        for text in (changed, token + other, other + token, token[:at]):
            with pytest.raises(InvalidTokenError):
                codec.read(text)
        assert codec.read(token) == SHARE


def test_the_last_character_has_one_spelling(keys: KeyRing) -> None:
    # PyJWT before 2.14 accepted three more.
    codec = make_codec(keys)
    token = codec.sign(SHARE)
    codec.read(token)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="
    for reader in (codec, make_codec(keys)):
        for other in alphabet.replace(token[-1], ""):
            with pytest.raises(InvalidTokenError):
                reader.read(token[:-1] + other)


@given(st.text(max_size=300))
def test_any_text_may_come(text: str) -> None:
    codec = make_codec()
    codec.read(codec.sign(SHARE))
    for one in (text, f"{text}.{text}.{text}", f"{base64url('{}')}.{text}.x"):
        with pytest.raises(InvalidTokenError):
            codec.read(one)


def attacks_by_the_header() -> Iterator[tuple[str, str]]:
    """Yield the name of each attack, and its token."""
    nothing = base64url(json.dumps({"alg": "none", "typ": "share+jwt"}))
    body = base64url(json.dumps(CLAIMS))
    yield "alg none without signature", f"{nothing}.{body}."
    yield "alg none with kid", forged(HEADER | {"alg": "none"}, CLAIMS)
    yield "alg None", forged(HEADER | {"alg": None}, CLAIMS)
    yield "alg list", forged(HEADER | {"alg": ["HS256"]}, CLAIMS)
    yield "alg in lower case", forged(HEADER | {"alg": "hs256"}, CLAIMS)
    yield "alg HS512", forged(HEADER | {"alg": "HS512"}, CLAIMS)
    yield "alg EdDSA", forged(HEADER | {"alg": "EdDSA"}, CLAIMS)
    yield "no alg", forged({"kid": HEADER["kid"], "typ": "share+jwt"}, CLAIMS)
    yield "no kid", forged({"alg": "HS256", "typ": "share+jwt"}, CLAIMS)
    yield "no typ", forged({"alg": "HS256", "kid": HEADER["kid"]}, CLAIMS)
    yield "kid of nobody", forged(HEADER | {"kid": "nobody"}, CLAIMS)
    yield "kid path", forged(HEADER | {"kid": "../../dev/null"}, CLAIMS)
    yield "kid list", forged(HEADER | {"kid": [HEADER["kid"]]}, CLAIMS)
    yield "kid object", forged(HEADER | {"kid": {}}, CLAIMS)
    yield "kid null", forged(HEADER | {"kid": None}, CLAIMS)
    yield "typ JWT with kid", forged(HEADER | {"typ": "JWT"}, CLAIMS)
    yield "typ in upper case", forged(HEADER | {"typ": "SHARE+JWT"}, CLAIMS)
    yield "typ list", forged(HEADER | {"typ": ["share+jwt"]}, CLAIMS)
    yield "typ of another token", forged(HEADER | {"typ": "at+jwt"}, CLAIMS)
    for name in ("jwk", "jku", "x5u", "x5c", "crit", "zip", "cty", "b64"):
        value = {"jku": "https://evil.example/", "b64": False}.get(name, [])
        yield f"header {name}", forged(HEADER | {name: value}, CLAIMS)
        jwt_header = {"alg": "HS256", "typ": "JWT", name: value}
        yield f"legacy header {name}", forged(jwt_header, LEGACY_CLAIMS)
    yield "header deep", forged('{"alg":' + "[" * 900 + "]" * 900 + "}", LEGACY_CLAIMS)
    yield "header deeper", forged("[" * 5000, CLAIMS)
    yield "header number", forged('{"alg":' + "9" * 5000 + "}", LEGACY_CLAIMS)
    yield "header list", forged([], CLAIMS)
    yield "header text", forged('"share+jwt"', CLAIMS)
    yield "header empty", forged("", CLAIMS)
    yield "legacy without alg", forged({"typ": "JWT"}, LEGACY_CLAIMS)
    yield "legacy HS512", forged({"alg": "HS512", "typ": "JWT"}, LEGACY_CLAIMS)


def attacks_by_the_rest() -> Iterator[tuple[str, str]]:
    """Yield the name of each attack, and its token."""
    yield "payload list", forged(HEADER, [])
    yield "payload empty", forged(HEADER, "")
    yield "payload null", forged(HEADER, "null")
    for noise in ("#", "A", "AAAA.AAAA", "%00"):
        yield f"payload {noise}", forged_payload(noise)
    yield "another issuer", forged(HEADER, CLAIMS | {"iss": "orthanc"})
    yield "another audience", forged(HEADER, CLAIMS | {"aud": "account"})
    yield "another use", forged(HEADER, CLAIMS | {"use": "inbox-link"})
    yield "legacy claims, our header", forged(HEADER, LEGACY_CLAIMS)
    yield "our claims, legacy header", forged({"alg": "HS256", "typ": "JWT"}, CLAIMS)
    yield "another key", forged(HEADER, CLAIMS, OLD_SECRET_KEY)
    yield "legacy, another key", legacy(OLD_SECRET_KEY)
    yield "empty key", forged(HEADER, CLAIMS, "")
    yield "100 KB", forged(HEADER, CLAIMS | {"x": "x" * 100_000})
    yield "no segment", ""
    yield "empty segments", ".."
    yield "two segments", forged(HEADER, CLAIMS).rpartition(".")[0]
    yield "four segments", forged(HEADER, CLAIMS) + ".x"
    yield "five segments", "a.b.c.d.e"
    yield "Bearer", "Bearer " + forged(HEADER, CLAIMS)
    yield "line feed", forged(HEADER, CLAIMS) + "\n"
    yield "lone surrogate", forged(HEADER, CLAIMS) + "\ud800"
    yield "padding", forged(HEADER, CLAIMS) + "="


def forged_payload(segment: str) -> str:
    """Return a token with our header and any second segment, signed rightly."""
    header = make_codec().sign(SHARE).partition(".")[0]
    digest = hmac.digest(
        SECRET_KEY.encode(), f"{header}.{segment}".encode(), hashlib.sha256
    )
    return f"{header}.{segment}.{base64url(digest)}"


ATTACKS = dict((*attacks_by_the_header(), *attacks_by_the_rest()))


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_by_a_service_that_knows_our_header_or_not(
    name: str,
) -> None:
    fresh, warm = make_codec(), make_codec()
    warm.read(warm.sign(SHARE))
    for codec in (fresh, warm):
        with pytest.raises(InvalidTokenError) as caught:
            codec.read(ATTACKS[name])
        assert UID not in str(caught.value)
        assert not ATTACKS[name] or ATTACKS[name] not in str(caught.value)


def test_the_public_key_is_no_shared_secret() -> None:
    # The classic: sign with the public key, which everybody has, by HMAC.
    keys = ring(signing_key=SIGNING_KEY)
    for key in (VERIFICATION_KEY, VERIFICATION_KEY.strip()):
        for algorithm in ("HS256", "EdDSA"):
            header = header_of(keys) | {"alg": algorithm}
            with pytest.raises(InvalidTokenError):
                make_codec(keys).read(forged(header, CLAIMS, key))
        with pytest.raises(InvalidTokenError):
            make_codec(keys).read(legacy(key))


def test_a_key_signs_for_its_own_id_only() -> None:
    both = make_codec(ring(SECRET_KEY, retired=(OLD_SECRET_KEY,)))
    with pytest.raises(InvalidTokenError):
        both.read(forged(HEADER, CLAIMS, OLD_SECRET_KEY))


def test_a_header_that_was_good_once_makes_no_other_token_good() -> None:
    codec = make_codec()
    token = codec.sign(SHARE)
    codec.read(token)
    header, payload, signature = token.split(".")
    other = base64url(json.dumps(CLAIMS | {"exp": CLAIMS["exp"] + 1}))
    for text in (
        f"{header}.{other}.{signature}",
        f"{header}.{payload}.",
        f"{header}..{signature}",
        f"{header}.{payload}.{signature}.{signature}",
        header,
        f"{header}.",
    ):
        with pytest.raises(InvalidTokenError):
            codec.read(text)


def test_a_token_of_the_predecessors_opens_what_it_did() -> None:
    share = make_codec().read(legacy())
    assert share.resources == SHARE.resources
    assert share.expires_at == datetime.fromisoformat("2031-05-04T10:00:00+00:00")


def test_their_key_may_be_short_if_it_is_retired() -> None:
    codec = make_codec(ring(SECRET_KEY, retired=(SHORT_SECRET_KEY,)))
    assert codec.read(legacy(SHORT_SECRET_KEY)).resources == SHARE.resources


def test_their_token_may_leave_out_typ() -> None:
    token = forged({"alg": "HS256"}, LEGACY_CLAIMS)
    assert make_codec().read(token).resources == SHARE.resources


def test_beside_ed25519_keys_they_still_work() -> None:
    assert make_codec(ED_RING).read(legacy()).resources == SHARE.resources
    with pytest.raises(InvalidTokenError):
        make_codec(ring(signing_key=SIGNING_KEY)).read(legacy())


def test_a_site_can_turn_them_off_at_once_or_later() -> None:
    off = make_codec(legacy=LegacyPolicy(accepted=False))
    with pytest.raises(InvalidTokenError):
        off.read(legacy())
    soon = make_codec(legacy=LegacyPolicy(until=NOW + HOUR))
    soon.verify(legacy(), NOW)
    with pytest.raises(ExpiredTokenError):
        soon.verify(legacy(), NOW + HOUR)


def test_the_longest_token_can_still_be_read() -> None:
    def padded(length: int) -> str:
        return forged(HEADER, CLAIMS | {"x": "x" * length})

    longest = next(
        token
        for length in range(TOKEN_LENGTH_MAX, 0, -1)
        if len(token := padded(length)) <= TOKEN_LENGTH_MAX
    )
    assert make_codec().read(longest) == SHARE
    with pytest.raises(InvalidTokenError, match="too long"):
        make_codec().read(longest + "x" * (TOKEN_LENGTH_MAX - len(longest) + 1))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec_module, "CACHE_SIZE", 3)
    monkeypatch.setattr(codec_module, "HEADER_CACHE_SIZE", 1)
    keys = ring(SECRET_KEY, retired=(OLD_SECRET_KEY,))
    codec = make_codec(keys)
    older = make_codec(ring(OLD_SECRET_KEY))
    tokens = [codec.sign(replace(SHARE, id=f"share-{n}")) for n in range(9)]
    tokens += [older.sign(SHARE)]
    for _ in range(2):
        ids = [codec.read(token).id for token in tokens]
        assert ids == [*(f"share-{n}" for n in range(9)), "share-1"]
    assert len(codec._shares) == 3
    assert len(codec._keys_of_headers) == 1


def test_a_long_token_is_read_each_time_and_not_remembered() -> None:
    studies = tuple(Resource(Level.STUDY, f"1.2.{n}") for n in range(RESOURCES_MAX))
    share = replace(SHARE, resources=studies)
    codec = make_codec()
    token = codec.sign(share)
    assert len(token) > REMEMBERED_LENGTH_MAX
    for _ in range(2):
        assert codec.read(token).resources == studies
    assert not codec._shares


def test_what_is_refused_is_not_remembered() -> None:
    codec = make_codec()
    for token in ATTACKS.values():
        with pytest.raises(InvalidTokenError):
            codec.read(token)
    assert not codec._shares
    # The header was ours, but nothing good came with it.
    assert not codec._keys_of_headers


def test_another_signing_key_is_none_of_ours() -> None:
    stranger = make_codec(ring(signing_key=OTHER_SIGNING_KEY))
    with pytest.raises(InvalidTokenError):
        make_codec(ED_RING).read(stranger.sign(SHARE))


@given(left=st.none() | st.integers(1, 100_000), lasts=st.integers(1, 100_000))
def test_a_view_lives_as_long_as_it_may_and_no_longer_than_its_share(
    left: int | None, lasts: int
) -> None:
    end = None if left is None else NOW + timedelta(seconds=left)
    share = replace(SHARE, expires_at=end, needs_opening=True)
    codec = make_codec()
    token = codec.sign_view(share, "view-1", NOW, timedelta(seconds=lasts))
    view = codec.verify(token, NOW)
    assert view.expires_at == NOW + timedelta(seconds=min(left or lasts, lasts))
    assert (view.issued_at, view.not_before) == (NOW, NOW)
    assert not view.needs_opening
