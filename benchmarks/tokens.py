"""Share tokens made beforehand, all of one length."""

from datetime import timedelta

from benchmarks.wire import STUDY
from orthanc_share.domain.clock import utc_now
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Share, ShareType, new_share_id
from orthanc_share.tokens.codec import ShareCodec
from orthanc_share.tokens.keyring import KeySettings, build_key_ring

SECRET_KEY = "k3Vt8sPz2LqWm7XyBn5RdGh9Jc4FaTuE6oQiZ1rK"  # noqa: S105 - made up
"""The shared secret of the services and the references under measurement."""


def make_tokens(count: int) -> list[str]:
    """Return so many different tokens of shares of the study, valid for a month."""
    codec = ShareCodec(build_key_ring(KeySettings(secret_key=SECRET_KEY)))
    return [codec.sign(_share()) for _ in range(count)]


def _share() -> Share:
    now = utc_now()
    return Share(
        id=new_share_id(),
        type=ShareType.STONE_PUBLICATION,
        resources=(Resource(Level.STUDY, STUDY["dicom-uid"], STUDY["orthanc-id"]),),
        issued_at=now,
        not_before=now,
        expires_at=now + timedelta(days=30),
    )
