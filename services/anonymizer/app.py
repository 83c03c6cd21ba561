"""The application: wiring only.

Without an address for anonymized shares there are none: then everything but the
service's health is 404.
"""

from contextlib import AsyncExitStack

from fastapi import FastAPI

from anonymizer.access import Doorkeeper
from anonymizer.context import Contexts, Site
from anonymizer.gateway import Gateway, Slots, not_found
from anonymizer.orthanc import SERVER, Orthanc
from anonymizer.routes import ROUTES
from anonymizer.settings import AnonymizerSettings
from orthanc_share.domain.clock import Clock, utc_now
from orthanc_share.registry.remote import RemoteWatch
from orthanc_share.registry.watch import Watch
from orthanc_share.upstream.bulk import BulkClient, BulkSettings
from orthanc_share.web.health import Ping
from orthanc_share.web.lifespan import Running, closing, open_calls
from orthanc_share.web.metrics import Metrics
from orthanc_share.web.middleware import install_middleware
from orthanc_share.web.operation import add_operation
from orthanc_share.web.plain import NO_TELEMETRY
from orthanc_share.web.problems import install_problems
from orthanc_share.web.sharing import build_sharing
from orthanc_share.web.startup import start


def create_app(
    settings: AnonymizerSettings | None = None,
    *,
    clock: Clock = utc_now,
    watch: Watch | None = None,
) -> FastAPI:
    """Return the application.

    Args:
        settings: None: those of the process.
        clock: The present instant.
        watch: Of the registry that runs in the same process; None: token-service is
            asked, if the settings want a registry.

    Raises:
        ConfigurationError: Something in the settings is wrong.
    """
    settings = start(AnonymizerSettings) if settings is None else settings
    metrics = Metrics()
    stack = AsyncExitStack()
    pings: dict[str, Ping] = {}
    running: list[Running] = []
    if watch is None and settings.registry and settings.is_in_use():
        calls = open_calls(settings, stack)
        remote = RemoteWatch(calls, settings.registry_grace, clock)
        watch, pings["registry"] = remote.watch, remote.ping
        running.append(remote.running)
    app = FastAPI(
        title="orthanc-share anonymizer",
        telemetry=NO_TELEMETRY,
        docs_url=None,
        redoc_url=None,
        # The redirect would name whatever host the caller sent.
        redirect_slashes=False,
        openapi_url=None,
        lifespan=closing(stack, *running),
    )
    app.router.default = not_found
    if settings.is_in_use():
        client = _client(settings)
        stack.push_async_callback(client.aclose)
        door = Doorkeeper(build_sharing(settings, clock=clock), clock, metrics, watch)
        app.router.default = _gateway(settings, client, stack, metrics, door)
        pings["orthanc"] = Orthanc(
            client, may_be_refused=settings.orthanc_pass_token
        ).ping
    install_problems(app)
    add_operation(app, pings, metrics if settings.metrics else None)
    install_middleware(app, metrics)
    return app


def _gateway(
    settings: AnonymizerSettings,
    client: BulkClient,
    stack: AsyncExitStack,
    metrics: Metrics,
    door: Doorkeeper,
) -> Gateway:
    contexts = Contexts(
        Site(
            profile=settings.profile(),
            key=settings.required().key,
            client=client,
            pass_token=settings.orthanc_pass_token,
            root=settings.required().public_root,
            metrics=metrics,
        )
    )
    stack.push_async_callback(contexts.aclose)
    return Gateway(
        ROUTES,
        door,
        contexts,
        Slots(
            settings.anonymizer_max_concurrency,
            settings.orthanc_timeout.total_seconds(),
        ),
    )


def _client(settings: AnonymizerSettings) -> BulkClient:
    return BulkClient(
        BulkSettings(
            root=settings.required().orthanc_root,
            name=SERVER,
            auth=settings.credentials(),
            read=settings.orthanc_timeout,
            # Each request asks for at most three documents at once.
            connections=3 * settings.anonymizer_max_concurrency,
        )
    )
