"""What is told when a share was opened, and to whom."""

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orthanc_share.domain.clock import to_utc
from orthanc_share.store.outbox import Notice
from orthanc_share.store.records import StoredShare

ID_BYTES = 16
"""Random bytes in the id of a message."""


def new_message_id() -> str:
    """Return the id of a message: unique, without a full stop."""
    return f"msg_{secrets.token_urlsafe(ID_BYTES)}"


def message_id_of(body: str) -> str:
    """Return the id in a body that an `Announcer` made."""
    found: str = json.loads(body)["id"]
    return found


@dataclass(frozen=True, slots=True)
class Announcer:
    """Makes the notices of an opening: for the share's receiver and the site's.

    Nothing in them opens anything or names what was shared. The title and the label
    are the sender's own words; where they hold an id of what is shared they are left
    out.

    Args:
        site: Address that is told of every opening (`NOTIFY_URL`); None: nobody.
        new_id: Makes the ids of messages.
    """

    site: str | None = field(default=None, repr=False)
    new_id: Callable[[], str] = new_message_id

    def __call__(self, share: StoredShare, at: datetime) -> Sequence[Notice]:
        """Return what to send when `share`, as it is now, was opened at `at`."""
        wanted = dict.fromkeys(one for one in (share.notify, self.site) if one)
        return [
            Notice(target, _body(share, at, self.new_id()), share.share.id)
            for target in wanted
        ]


def _body(share: StoredShare, at: datetime, message_id: str) -> str:
    said = {
        "event": "opened",
        "id": message_id,
        "at": to_utc(at).isoformat(),
        "share-id": share.share.id,
        "label": _harmless(share.label, share),
        "title": _harmless(share.title, share),
        "opened": share.opened,
        "left": share.openings_left,
    }
    if said["title"] is None:
        del said["title"]
    return json.dumps(said, separators=(",", ":"))


def _harmless(text: str | None, share: StoredShare) -> str | None:
    """Return the sender's words, unless an id of what is shared is among them."""
    if text is None:
        return None
    ids = {
        name
        for resource in share.share.resources
        for name in (resource.dicom_uid, resource.orthanc_id)
        if name
    }
    return None if any(name in text for name in ids) else text
