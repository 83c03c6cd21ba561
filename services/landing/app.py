"""The landing service: where a person meets a link."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
)
from datetime import timedelta

from starlette.applications import Starlette
from starlette.middleware import Middleware

from landing.opening import LinkOpener
from landing.pages import Pages
from landing.routes import Endpoint, LinkRoute, PageRoutes, robots
from landing.settings import LandingSettings
from orthanc_share.domain.clock import Clock, utc_now
from orthanc_share.upstream.client import create_client
from orthanc_share.upstream.meddream import MedDreamBroker
from orthanc_share.web.health import Ping, Readiness, alive
from orthanc_share.web.metrics import Metrics
from orthanc_share.web.middleware import RequestLogMiddleware, SafeHeadersMiddleware
from orthanc_share.web.sharing import build_sharing

_log = logging.getLogger(__name__)


def create_app(
    settings: LandingSettings | None = None, *, clock: Clock = utc_now
) -> Starlette:
    """Return the landing service.

    It is no JSON interface, so it is plain Starlette without API documentation.

    Args:
        settings: None: those of the environment.
        clock: The present instant.

    Raises:
        ConfigurationError: A setting, key, translation or template cannot be used.
    """
    settings = LandingSettings.load() if settings is None else settings
    for warning in settings.warnings():
        _log.warning(warning)
    stack = AsyncExitStack()
    broker = _broker(settings, stack)
    metrics = Metrics()
    opener = LinkOpener(build_sharing(settings, clock=clock), clock, broker)
    app = Starlette(
        lifespan=_closing(stack),
        middleware=[
            Middleware(LinkRoute, opener=opener, metrics=metrics),
            Middleware(SafeHeadersMiddleware),
            Middleware(RequestLogMiddleware, metrics=metrics),
        ],
    )
    endpoints = _endpoints(broker, metrics if settings.metrics else None)
    app.router.default = PageRoutes(build_pages(settings), metrics, endpoints)
    return app


def build_pages(settings: LandingSettings) -> Pages:
    """Return the pages of the site.

    Raises:
        ConfigurationError: A translation or a template cannot be used.
    """
    return Pages(
        settings.site(), settings.landing_locales_dir, settings.landing_templates_dir
    )


def _endpoints(
    broker: MedDreamBroker | None, metrics: Metrics | None
) -> dict[str, Endpoint]:
    """Return what is not about links; `/metrics` only if there are metrics to show."""
    pings: dict[str, Ping] = {} if broker is None else {"meddream": broker.ping}
    endpoints: dict[str, Endpoint] = {
        "/health": alive,
        "/ready": Readiness(pings).answer,
        "/robots.txt": robots,
    }
    if metrics is not None:
        endpoints["/metrics"] = metrics.expose
    return endpoints


def _broker(settings: LandingSettings, stack: AsyncExitStack) -> MedDreamBroker | None:
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


def _closing(
    stack: AsyncExitStack,
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with stack:
            yield

    return lifespan
