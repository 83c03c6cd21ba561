"""Share tokens made beforehand, all of one length."""

from collections.abc import Iterable
from datetime import timedelta

from benchmarks.samples import Sample
from benchmarks.wire import STUDY
from orthanc_share.domain.clock import utc_now
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share, ShareType, new_share_id
from orthanc_share.store.records import Origin
from orthanc_share.store.store import Store
from orthanc_share.tokens.codec import ShareCodec
from orthanc_share.tokens.keyring import KeySettings, build_key_ring
from orthanc_share.tokens.sealing import Sealer

SECRET_KEY = "k3Vt8sPz2LqWm7XyBn5RdGh9Jc4FaTuE6oQiZ1rK"  # noqa: S105 - made up
"""The shared secret of the services and the references under measurement."""


DEIDENTIFICATION_KEY = "p6YwTn3RkVe8ZqLs1HdXc9MjBf5UgA2oKi7JtWz4"
"""The key that seals shares of de-identified studies."""


def make_tokens(count: int) -> list[str]:
    """Return so many different tokens of shares of the study, valid for a month."""
    codec = ShareCodec(build_key_ring(KeySettings(secret_key=SECRET_KEY)))
    return [codec.sign(_share()) for _ in range(count)]


def share_of(token: str) -> Share:
    """Return the share of a token that was made here, not sealed."""
    return ShareCodec(build_key_ring(KeySettings(secret_key=SECRET_KEY))).read(token)


async def keep(store: Store, tokens: Iterable[str]) -> None:
    """Let a registry know the shares of tokens."""
    origin = Origin("benchmark")
    for token in tokens:
        await store.shares.adopt(share_of(token), now=utc_now(), origin=origin)


_STUDY = Resource(Level.STUDY, STUDY["dicom-uid"], STUDY["orthanc-id"])


def anonymized_token(sample: Sample) -> str:
    """Return the token of a new share of a study, de-identified."""
    codec = ShareCodec(
        build_key_ring(KeySettings(secret_key=SECRET_KEY)),
        sealer=Sealer(DEIDENTIFICATION_KEY.encode()),
    )
    study = Resource(Level.STUDY, sample.study_uid, sample.study_id)
    return codec.sign(_share(study, Flavour.ANONYMIZED))


def _share(study: Resource = _STUDY, flavour: Flavour = Flavour.STANDARD) -> Share:
    now = utc_now()
    return Share(
        id=new_share_id(),
        type=ShareType.STONE_PUBLICATION,
        flavour=flavour,
        resources=(study,),
        issued_at=now,
        not_before=now,
        expires_at=now + timedelta(days=30),
    )
