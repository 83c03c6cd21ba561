"""New keys beside the old ones."""

import pytest

from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.domain.resource import Resource
from orthanc_share.domain.share import Share, ShareType
from orthanc_share.tokens.codec import ShareCodec
from orthanc_share.tokens.keyring import KeySettings, build_key_ring
from orthanc_share.tokens.rotation import rotate_ed25519, rotate_hmac
from tests.support.settings import SECRET_KEY
from tests.unit.shared.tokens.keys import (
    OLD_SECRET_KEY,
    OTHER_VERIFICATION_KEY,
    SIGNING_KEY,
    VERIFICATION_KEY,
)

SHARE = Share("share-1", ShareType.STONE_PUBLICATION, (Resource(dicom_uid="1.2.3"),))


def codec(**keys: object) -> ShareCodec:
    return ShareCodec(build_key_ring(KeySettings(**keys)))  # type: ignore[arg-type]


def test_links_of_both_key_pairs_work_after_a_rotation() -> None:
    rotated = rotate_ed25519(SIGNING_KEY, VERIFICATION_KEY)
    public = "".join(rotated.verifying)
    after = codec(signing_key=rotated.signing, verification_keys=public)
    landing = codec(verification_keys=public)
    for maker in (codec(signing_key=SIGNING_KEY), after):
        assert landing.read(maker.sign(SHARE)).id == "share-1"
    assert rotated.old != rotated.new


def test_a_service_that_was_not_restarted_refuses_the_new_key() -> None:
    rotated = rotate_ed25519(SIGNING_KEY, VERIFICATION_KEY)
    token = codec(signing_key=rotated.signing).sign(SHARE)
    with pytest.raises(Exception, match="not ours"):
        codec(verification_keys=VERIFICATION_KEY).read(token)


@pytest.mark.parametrize(
    "known", [None, VERIFICATION_KEY, f"{VERIFICATION_KEY}{VERIFICATION_KEY}"]
)
def test_the_newest_public_key_is_the_first_and_each_is_there_once(
    known: str | None,
) -> None:
    rotated = rotate_ed25519(SIGNING_KEY, known)
    assert len(rotated.verifying) == 2
    assert rotated.verifying[1] == VERIFICATION_KEY


def test_older_public_keys_stay() -> None:
    rotated = rotate_ed25519(SIGNING_KEY, OTHER_VERIFICATION_KEY)
    assert rotated.verifying[1:] == (VERIFICATION_KEY, OTHER_VERIFICATION_KEY)


@pytest.mark.parametrize(
    ("signing", "known"), [("canary", None), (SIGNING_KEY, "canary")]
)
def test_what_cannot_be_read_is_not_rotated_away(
    signing: str, known: str | None
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        rotate_ed25519(signing, known)
    assert "canary" not in str(caught.value)


def test_links_of_all_secrets_work_after_a_rotation() -> None:
    rotated = rotate_hmac(SECRET_KEY, [OLD_SECRET_KEY])
    assert rotated.verifying == (SECRET_KEY, OLD_SECRET_KEY)
    after = codec(secret_key=rotated.signing, secret_keys_retired=rotated.verifying)
    for key in (SECRET_KEY, OLD_SECRET_KEY, rotated.signing):
        assert after.read(codec(secret_key=key).sign(SHARE)).id == "share-1"


def test_a_rotation_that_was_cut_off_is_repeated_without_doubling() -> None:
    assert rotate_hmac(SECRET_KEY, [SECRET_KEY]).verifying == (SECRET_KEY,)


def test_new_keys_are_new_and_shown_by_nobody() -> None:
    one, other = rotate_hmac(SECRET_KEY, []), rotate_hmac(SECRET_KEY, [])
    assert one.signing != other.signing
    assert one.signing not in repr(one)
    assert SECRET_KEY not in repr(one)
