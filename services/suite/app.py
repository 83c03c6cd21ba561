"""The three services as one application on one port."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

import anonymizer.app
import landing.app
import token_service.app
from anonymizer.settings import AnonymizerSettings
from landing.settings import LandingSettings
from orthanc_share.config.settings import SharingSettings
from orthanc_share.domain.clock import Clock, utc_now
from orthanc_share.web.startup import announce, examine
from suite.immediate import PostsAtOnce, posts_at_once
from token_service.registering import make_registry
from token_service.settings import TokenServiceSettings

LANDING_PATH = "/welcome"
"""Where the landing page is, as with the predecessors."""

ANONYMIZER_PATH = "/anon-shares"
"""Where the anonymizer is, as with the predecessors."""

SETTINGS: Mapping[str, type[SharingSettings]] = {
    "token-service": TokenServiceSettings,
    "landing": LandingSettings,
    "anonymizer": AnonymizerSettings,
}
"""The services and their settings."""


Services = tuple[Starlette, Starlette, Starlette]
"""token-service, landing and anonymizer."""


def create_app(*, clock: Clock = utc_now) -> Starlette:
    """Return the suite with the settings of the process.

    Raises:
        ConfigurationError: Something in the settings of a service is wrong.
    """
    return combine(*create_services(clock=clock))


def create_services(*, clock: Clock = utc_now) -> Services:
    """Return the three services with the settings of the process.

    Raises:
        ConfigurationError: Something in the settings of a service is wrong.
    """
    tokens, problems_of_tokens = examine(TokenServiceSettings)
    pages, problems_of_pages = examine(LandingSettings)
    anonymous, problems_of_anonymous = examine(AnonymizerSettings)
    announce(
        [tokens, pages, anonymous],
        [*problems_of_tokens, *problems_of_pages, *problems_of_anonymous],
    )
    return assemble(tokens, pages, anonymous, clock=clock)


def assemble(
    tokens: TokenServiceSettings,
    pages: LandingSettings,
    anonymous: AnonymizerSettings,
    *,
    clock: Clock = utc_now,
) -> Services:
    """Return the three services with these settings, around one registry.

    Raises:
        ConfigurationError: A setting, a key or a file cannot be used.
    """
    registry = make_registry(tokens, clock)
    watch = None if registry is None else registry.watch
    desk = None if registry is None else registry.desk
    return (
        token_service.app.create_app(tokens, clock=clock, registry=registry),
        landing.app.create_app(pages, clock=clock, desk=desk),
        anonymizer.app.create_app(anonymous, clock=clock, watch=watch),
    )


def combine(tokens: Starlette, pages: Starlette, anonymous: Starlette) -> Starlette:
    """Return one application of the three, each with its own lifespan and state."""
    dispatcher = _Dispatcher(tokens, {LANDING_PATH: pages, ANONYMIZER_PATH: anonymous})
    return _Suite(dispatcher, posts_at_once(tokens))


class _Suite(Starlette):
    """The one application, which answers at once what its first service does."""

    def __init__(self, dispatcher: "_Dispatcher", at_once: PostsAtOnce) -> None:
        super().__init__(routes=[Mount("/", dispatcher)], lifespan=dispatcher.lifespan)
        self.posts_at_once = at_once


class _Dispatcher:
    """Sends a request to the service whose path it begins with.

    Starlette's own `Mount` knows no path without a final slash and runs no lifespan.
    """

    def __init__(self, default: Starlette, below: Mapping[str, Starlette]) -> None:
        self._default = default
        self._below = below
        self._states: dict[Starlette, dict[str, Any]] = {}

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for app in (self._default, *self._below.values()):
                context = app.router.lifespan_context(app)
                state: Mapping[str, Any] | None
                state = await stack.enter_async_context(context)
                self._states[app] = {} if state is None else dict(state)
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app, root = self._find(scope["path"])
        child = {
            **scope,
            "root_path": scope.get("root_path", "") + root,
            "state": dict(self._states[app]),
        }
        await app(child, receive, send)

    def _find(self, path: str) -> tuple[Starlette, str]:
        for prefix, app in self._below.items():
            if path == prefix or path.startswith(prefix + "/"):
                return app, prefix
        return self._default, ""
