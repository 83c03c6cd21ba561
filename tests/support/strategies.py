"""What Hypothesis makes of the domain: ids, resources, instants, shares."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share, ShareType

NOW = datetime(2026, 3, 3, 14, 0, tzinfo=UTC)
"""The present instant of the tests."""

SHARED_LEVELS = (Level.STUDY, Level.SERIES, Level.INSTANCE)
"""Levels whose DICOM id is a UID."""


def _orthanc_id(digest: bytes) -> str:
    digits = digest.hex()
    return "-".join(digits[start : start + 8] for start in range(0, 40, 8))


def _later(seconds: int) -> datetime:
    return NOW + timedelta(seconds=seconds)


uids = st.lists(st.integers(0, 10**9 - 1), min_size=2, max_size=6).map(
    lambda parts: ".".join(map(str, parts))
)
"""UIDs as PS3.5 9.1 wants them."""

orthanc_ids = st.binary(min_size=20, max_size=20).map(_orthanc_id)
"""Orthanc ids."""

instants = st.integers(-(10**8), 10**8).map(_later)
"""Whole seconds, UTC, within three years of `NOW`."""


@st.composite
def resources(draw: st.DrawFn) -> Resource:
    """Make a resource with one id or both."""
    uid, orthanc_id = draw(
        st.one_of(
            st.tuples(uids, orthanc_ids),
            st.tuples(uids, st.none()),
            st.tuples(st.none(), orthanc_ids),
        )
    )
    return Resource(draw(st.sampled_from(SHARED_LEVELS)), uid, orthanc_id)


@st.composite
def shares(draw: st.DrawFn) -> Share:
    """Make a share of up to four resources with any lifetime."""
    return Share(
        id=draw(st.text("abcXYZ019-_", min_size=1, max_size=22)),
        type=draw(st.sampled_from(ShareType)),
        resources=tuple(draw(st.lists(resources(), min_size=1, max_size=4))),
        flavour=draw(st.sampled_from(Flavour)),
        issued_at=draw(instants),
        not_before=draw(instants),
        expires_at=draw(st.none() | instants),
    )
