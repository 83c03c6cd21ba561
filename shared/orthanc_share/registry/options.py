"""How the registry of a site works, as values."""

from dataclasses import dataclass, field
from datetime import timedelta

from orthanc_share.store.openings import Announce, no_notices
from orthanc_share.store.records import Retention
from orthanc_share.store.second_factor import TryLimits


@dataclass(frozen=True, slots=True)
class RegistryOptions:
    """What a service with the store needs to know.

    Args:
        url: Address of the database, see `store.urls`.
        grace: How long validate may go by what is known without the database.
        view_duration: How long a viewer token lives.
        retention: How long is kept what is over.
        limits: How many tries of a second factor, and how long the pause.
        audit_key: Makes the audit trail unforgeable for who lacks it.
        announce: Makes the notices of an opening.
        study_key: Keeps studies in the audit trail as HMAC under it; None: plain.
    """

    url: str = field(repr=False)
    grace: timedelta = timedelta(minutes=5)
    view_duration: timedelta = timedelta(hours=4)
    retention: Retention = field(default_factory=Retention)
    limits: TryLimits = field(default_factory=TryLimits)
    audit_key: bytes | None = field(default=None, repr=False)
    study_key: bytes | None = field(default=None, repr=False)
    announce: Announce = no_notices
