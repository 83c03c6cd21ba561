"""The landing service: where a person meets a link."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

from starlette.applications import Starlette
from starlette.middleware import Middleware

from landing.answering import FormLinks, Opener, TokenLinks
from landing.asking import LinkAsker
from landing.opening import Destinations, LinkOpener
from landing.routes import Endpoint, LinkRoute, PageRoutes, robots
from landing.settings import LandingSettings
from orthanc_share.domain.clock import Clock, utc_now
from orthanc_share.registry.links import Desk
from orthanc_share.registry.remote import RemoteDesk
from orthanc_share.web.health import Ping, Readiness, alive
from orthanc_share.web.lifespan import closing, open_broker, open_calls
from orthanc_share.web.metrics import Metrics
from orthanc_share.web.middleware import RequestLogMiddleware, SafeHeadersMiddleware
from orthanc_share.web.sharing import build_sharing
from orthanc_share.web.startup import start


def create_app(
    settings: LandingSettings | None = None,
    *,
    clock: Clock = utc_now,
    desk: Desk | None = None,
) -> Starlette:
    """Return the landing service.

    It is no JSON interface, so it is plain Starlette without API documentation.

    Args:
        settings: None: those of the process.
        clock: The present instant.
        desk: Of the registry that runs in the same process; None: token-service is
            asked, if the settings want a registry.

    Raises:
        ConfigurationError: A setting, key, translation or template cannot be used.
    """
    settings = start(LandingSettings) if settings is None else settings
    stack = AsyncExitStack()
    broker = open_broker(settings, stack)
    metrics = Metrics()
    sharing = build_sharing(settings, clock=clock)
    pings: dict[str, Ping] = {} if broker is None else {"meddream": broker.ping}
    if desk is None and settings.registry:
        remote = RemoteDesk(open_calls(settings, stack))
        desk, pings["registry"] = remote, remote.ping
    destinations = Destinations(sharing, broker)
    opener: Opener
    if desk is None:
        opener = TokenLinks(LinkOpener(sharing, clock, destinations))
    else:
        asker = LinkAsker(
            desk,
            sharing.codec,
            destinations,
            clock,
            grace=settings.opening_grace,
            asks_always=settings.landing_ask_before_open,
        )
        stack.push_async_callback(asker.aclose)
        opener = _forms(asker, settings)
    app = Starlette(
        lifespan=closing(stack),
        middleware=[
            Middleware(LinkRoute, opener=opener, metrics=metrics),
            Middleware(SafeHeadersMiddleware),
            Middleware(RequestLogMiddleware, metrics=metrics),
        ],
    )
    endpoints = _endpoints(pings, metrics if settings.metrics else None)
    app.router.default = PageRoutes(settings.pages(), opener, metrics, endpoints, clock)
    return app


def _forms(asker: LinkAsker, settings: LandingSettings) -> FormLinks:
    return FormLinks(
        asker,
        settings.public_landing_root,
        settings.opening_grace,
        settings.trusted_proxies,
    )


def _endpoints(
    pings: Mapping[str, Ping], metrics: Metrics | None
) -> dict[str, Endpoint]:
    """Return what is not about links; `/metrics` only if there are metrics to show."""
    endpoints: dict[str, Endpoint] = {
        "/health": alive,
        "/ready": Readiness(pings).answer,
        "/robots.txt": robots,
    }
    if metrics is not None:
        endpoints["/metrics"] = metrics.expose
    return endpoints
