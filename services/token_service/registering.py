"""The registry that the settings ask for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.registry.announcing import Announcer
from orthanc_share.registry.notifier import Notifier
from orthanc_share.registry.registry import Beside, Registry
from orthanc_share.store.store import Store
from orthanc_share.upstream.client import create_client
from orthanc_share.upstream.notices import NoticeSender
from orthanc_share.web.sharing import Sharing, build_sharing
from token_service.settings import TokenServiceSettings


def build_registry(
    settings: TokenServiceSettings, sharing: Sharing, clock: Clock
) -> Registry | None:
    """Return the registry, not yet running; None: `REGISTRY=off`.

    Args:
        settings: Where it is and how it works.
        sharing: Reads links.
        clock: The present instant.

    Raises:
        ConfigurationError: The folder of its database cannot be made.
    """
    if not settings.registry:
        return None
    try:
        settings.make_data_dir()
    except OSError as error:
        raise ConfigurationError(
            [f"DATA_DIR: cannot be made ({error.strerror})"]
        ) from None
    options = replace(
        settings.registry_options(), announce=Announcer(settings.notify_url)
    )
    return Registry(
        options, sharing.codec, sharing.links, clock, notices=_notices(settings, clock)
    )


def _notices(settings: TokenServiceSettings, clock: Clock) -> Beside | None:
    key = settings.notice_key()
    if key is None:
        return None

    async def send(store: Callable[[], Store]) -> None:
        async with create_client() as client:
            sender = NoticeSender(client, key, settings.notice_addresses())
            await Notifier(store, sender, clock).run()

    return send


def make_registry(settings: TokenServiceSettings, clock: Clock) -> Registry | None:
    """Return the registry for a process in which several services use it.

    Raises:
        ConfigurationError: A key or the folder of the database cannot be used.
    """
    return build_registry(settings, build_sharing(settings, clock=clock), clock)


def longest_validity(settings: TokenServiceSettings) -> timedelta:
    """Return how long a decision may be kept, so that revocations arrive in time."""
    if not settings.registry:
        return settings.decision_validity
    return min(settings.decision_validity, settings.revocation_lag)
