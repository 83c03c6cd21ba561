"""The life of an application: what it opened is closed when it ends."""

from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
)
from datetime import timedelta

from starlette.applications import Starlette

from orthanc_share.config.settings import AskingSettings, SharingSettings
from orthanc_share.upstream.calls import Calls
from orthanc_share.upstream.client import create_client
from orthanc_share.upstream.meddream import MedDreamBroker

Running = Callable[[], AbstractAsyncContextManager[None]]
"""Opens what works beside the application, as long as the block lasts."""


def closing(
    stack: AsyncExitStack, *running: Running
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """Return a lifespan that closes `stack` at its end.

    Args:
        stack: What was opened before.
        running: What is to work from start to end.
    """

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with stack:
            for opened in running:
                await stack.enter_async_context(opened())
            yield

    return lifespan


def open_broker(
    settings: SharingSettings, stack: AsyncExitStack
) -> MedDreamBroker | None:
    """Return the broker of MedDream's tokens; None where MedDream is not set up.

    Args:
        settings: Where the token service is.
        stack: Closes the broker.
    """
    if settings.meddream_token_service_url is None:
        return None
    client = create_client()
    broker = MedDreamBroker(
        client,
        settings.meddream_token_service_url,
        storage=settings.meddream_storage,
        timeout=timedelta(seconds=settings.meddream_timeout),
    )
    stack.push_async_callback(client.aclose)
    stack.push_async_callback(broker.aclose)
    return broker


def open_calls(settings: AskingSettings, stack: AsyncExitStack) -> Calls:
    """Return what asks token-service, which has the registry.

    Args:
        settings: Where it is, and with which login.
        stack: Closes the connections.

    Raises:
        ConfigurationError: There is no address.
    """
    client = create_client(
        base_url=settings.registry_address(),
        auth=settings.token_service_login(),
        keep_alive=False,
    )
    stack.push_async_callback(client.aclose)
    return Calls(client, "token-service")
