"""What an application opened is closed when it ends."""

from contextlib import AsyncExitStack

import pytest
from starlette.applications import Starlette

from orthanc_share.config.settings import SharingSettings
from orthanc_share.domain.errors import UpstreamUnavailableError
from orthanc_share.web.lifespan import closing, open_broker

pytestmark = pytest.mark.anyio


async def test_what_was_opened_is_closed_at_the_end() -> None:
    stack = AsyncExitStack()
    closed: list[str] = []
    stack.callback(closed.append, "closed")
    app = Starlette(lifespan=closing(stack))
    async with app.router.lifespan_context(app):
        assert closed == []
    assert closed == ["closed"]


async def test_a_site_without_meddream_opens_no_broker() -> None:
    async with AsyncExitStack() as stack:
        assert open_broker(SharingSettings(), stack) is None


async def test_a_broker_ends_with_its_application() -> None:
    address = "http://127.0.0.1:9/v4/generate"  # the port where nobody listens
    settings = SharingSettings(meddream_token_service_url=address)
    stack = AsyncExitStack()
    async with stack:
        broker = open_broker(settings, stack)
        assert broker is not None
        with pytest.raises(UpstreamUnavailableError):
            await broker.ping()
    assert broker._client.is_closed
