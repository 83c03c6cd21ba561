"""Settings of the notices that say that a link was opened."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, SecretStr
from typing_extensions import override

from orthanc_share.config.sources import SettingsBase
from orthanc_share.config.values import Address, Texts
from orthanc_share.upstream.notice_addresses import NoticeAddresses
from orthanc_share.upstream.notices import signing_key


class NoticeSettings(SettingsBase):
    """What the notices take; without `notify_key` none are sent."""

    notify_url: Annotated[
        Address | None, Field(description="Who is told of every opening (webhook)")
    ] = None
    notify_key: Annotated[
        SecretStr | None,
        Field(description="Signs the notices (Standard Webhooks), ≥ 24 bytes"),
    ] = None
    notify_allowed_hosts: Annotated[
        Texts,
        Field(description="Hosts that a share's own `notify` may name; empty: none"),
    ] = ()

    def notice_addresses(self) -> NoticeAddresses:
        """Return where notices may go."""
        return NoticeAddresses(self.notify_url, self.notify_allowed_hosts)

    def notice_key(self) -> bytes | None:
        """Return what signs the notices; None: none are sent.

        Raises:
            ValueError: It cannot sign; the text never says the key.
        """
        key = self.notify_key
        return None if key is None else signing_key(key.get_secret_value())

    @override
    def contradictions(self) -> Iterator[str]:
        """Yield a line for each way in which settings contradict each other."""
        yield from super().contradictions()
        try:
            key = self.notice_key()
        except ValueError as error:
            yield f"NOTIFY_KEY {error}."
            return
        if key is None and (self.notify_url or self.notify_allowed_hosts):
            yield "NOTIFY_KEY is missing: it signs the notices."
