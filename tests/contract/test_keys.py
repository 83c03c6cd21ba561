"""Keys: rotation, Ed25519, and what each service may do with them."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from landing.settings import LandingSettings
from orthanc_share.domain.errors import ConfigurationError, InvalidTokenError
from orthanc_share.web.sharing import build_sharing
from tests.support.service import NOW, Service, running
from tests.support.settings import SECRET_KEY, token_service_settings
from tests.support.tokens import (
    OTHER_KEY,
    claims,
    forged,
    parts,
    predecessors_token,
    share_token,
)
from token_service.app import create_app


@dataclass(frozen=True)
class Pair:
    """An Ed25519 key pair in PEM."""

    private: str
    public: str


def new_pair() -> Pair:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    return Pair(private.decode(), public.decode())


OLD, NEW = new_pair(), new_pair()


def header_of(token: str) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(parts(token)[0])
    return header


def test_a_token_says_what_it_is_and_which_key_signed_it(service: Service) -> None:
    token = service.token(validity_duration=60)
    header, claimed, signature = parts(token)
    named = json.loads(header)
    assert named.keys() == {"alg", "typ", "kid"}
    assert (named["alg"], named["typ"]) == ("HS256", "share+jwt")
    told = json.loads(claimed)
    assert told.keys() == {"iss", "aud", "jti", "iat", "nbf", "exp", "use", "res"}
    assert told["exp"] - told["iat"] == 60
    assert len(signature) == 32
    assert SECRET_KEY[:8] not in token


def test_two_shares_of_one_study_have_two_ids(service: Service) -> None:
    first, second = (json.loads(parts(service.token())[1])["jti"] for _ in range(2))
    assert first != second
    assert len(first) == len(second) == 22


def test_after_a_rotation_old_links_live_and_new_ones_have_the_new_key(
    service: Service,
) -> None:
    old = service.token()
    with running(secret_key=OTHER_KEY, secret_keys_retired=[SECRET_KEY]) as rotated:
        new = rotated.token()
        assert rotated.is_granted(old) is True
        assert rotated.is_granted(new) is True
    assert header_of(old)["kid"] != header_of(new)["kid"]
    assert service.is_granted(new) is False


def test_a_key_that_is_no_longer_retired_but_gone_opens_nothing(
    service: Service,
) -> None:
    old = service.token()
    with running(secret_key=OTHER_KEY) as rotated:
        assert rotated.is_granted(old) is False
        assert rotated.decode(old)["error-code"] == "invalid"


@pytest.mark.filterwarnings("error")
def test_a_retired_key_may_be_as_short_as_the_predecessors_allowed(
    service: Service,
) -> None:
    short = "Xk4vWq9LrT2mZp7c"
    token = predecessors_token("studies", key=OTHER_KEY)
    with running(secret_keys_retired=f"{OTHER_KEY} {short}") as lenient:
        assert lenient.is_granted(token) is True
        assert lenient.is_granted(share_token(key=OTHER_KEY)) is True
        assert lenient.is_granted(service.token()) is True


def test_an_ed25519_key_signs_and_the_shared_secret_still_checks() -> None:
    hmac_token, older = share_token(), predecessors_token("resources")
    with running(signing_key=OLD.private) as service:
        token = service.token()
        assert header_of(token)["alg"] == "EdDSA"
        assert service.is_granted(token) is True
        assert service.is_granted(hmac_token) is True
        assert service.is_granted(older) is True
    with running(signing_key=OLD.private, secret_key=None) as service:
        assert service.is_granted(token) is True
        assert service.is_granted(hmac_token) is False
        assert service.is_granted(older) is False


def test_an_ed25519_key_is_rotated_like_a_shared_one() -> None:
    with running(signing_key=OLD.private, secret_key=None) as service:
        old = service.token()
    with running(
        signing_key=NEW.private,
        verification_keys=OLD.public + NEW.public,
        secret_key=None,
    ) as rotated:
        new = rotated.token()
        assert rotated.is_granted(old) is True
        assert rotated.is_granted(new) is True
    assert header_of(old)["kid"] != header_of(new)["kid"]


def test_whoever_has_the_public_key_can_check_and_not_sign() -> None:
    with running(signing_key=NEW.private, secret_key=None) as service:
        token = service.token()
    values: dict[str, Any] = {"verification_keys": NEW.public}
    sharing = build_sharing(LandingSettings(**values))
    share = sharing.codec.verify(token, NOW)
    assert sharing.can_sign is False
    with pytest.raises(ConfigurationError):
        sharing.codec.sign(share)


def test_a_token_service_without_a_signing_key_does_not_start() -> None:
    with pytest.raises(ConfigurationError, match="SIGNING_KEY"):
        create_app(
            token_service_settings(secret_key=None, verification_keys=OLD.public)
        )


@pytest.mark.parametrize("padded", [False, True])
def test_a_public_key_is_no_shared_secret(*, padded: bool) -> None:
    # The classic confusion of algorithms: HS256 with the public key's text as secret.
    secret = OLD.public if padded else OLD.public.strip()
    with running(signing_key=OLD.private, secret_key=None) as service:
        kid = header_of(service.token())["kid"]
        for algorithm in ("HS256", "EdDSA"):
            header = {"alg": algorithm, "kid": kid, "typ": "share+jwt"}
            assert service.is_granted(forged(header, key=secret)) is False
        assert service.is_granted(forged({"alg": "HS256"}, key=secret)) is False


@pytest.mark.parametrize("last", ["A", "B", "Q", "g", "w", "x"])
def test_an_ed25519_signature_has_one_spelling(last: str) -> None:
    with running(signing_key=OLD.private, secret_key=None) as service:
        token = service.token()
        assert service.is_granted(token) is True
        changed = token[:-1] + last
        assert service.is_granted(changed) is (changed == token)
        assert service.is_granted(token + "=") is False


def test_a_weak_or_sample_key_stops_the_start() -> None:
    weak = ("", "short", "a" * 64, "change-me-" + OTHER_KEY, OTHER_KEY[:31])
    for key in weak:
        with pytest.raises(ConfigurationError, match="SECRET_KEY") as refused:
            create_app(token_service_settings(secret_key=key))
        assert OTHER_KEY[:31] not in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody-else"},
        {"aud": "orthanc-share"},
        {"aud": ["orthanc-share:standard"]},
        {"aud": None},
        {"use": "inbox-link"},
        {"use": "invalid"},
        {"res": []},
        {"res": None},
        {"res": [{"l": "system"}]},
        {"res": [{}]},
        {"res": [{"u": "no uid"}]},
        {"box": "AAAA", "res": None},
        {"aud": "orthanc-share:anonymized"},
        {"iat": "now"},
        {"nbf": -1},
        {"exp": 10**18},
        {"exp": 1.5},
        {"exp": True},
        {"jti": 5},
    ],
)
def test_claims_that_are_no_share_open_nothing_even_when_we_signed_them(
    changes: dict[str, Any], service: Service
) -> None:
    header = header_of(service.token())
    assert service.is_granted(forged(header, claims())) is True
    token = forged(header, claims(**changes))
    assert service.is_granted(token) is False
    assert service.decode(token)["resources"] == []


def test_unknown_claims_are_ignored_so_that_newer_tokens_work(service: Service) -> None:
    header = header_of(service.token())
    assert service.is_granted(forged(header, claims(extra={"a": 1}))) is True


def test_the_codec_forgets_old_tokens_and_reads_them_again() -> None:
    sharing = build_sharing(token_service_settings())
    token = share_token()
    first = sharing.codec.read(token)
    assert sharing.codec.read(token) is first
    with pytest.raises(InvalidTokenError):
        sharing.codec.read(token[:-1])
