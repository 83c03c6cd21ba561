"""The application: wiring only."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version

from fastapi import FastAPI

from orthanc_share.config.roles_file import RolesFile, load_anonymous_profile
from orthanc_share.domain.clock import Clock, utc_now
from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.registry.registry import Registry
from orthanc_share.upstream.mail import Mailer
from orthanc_share.upstream.mail_templates import MailTemplates
from orthanc_share.upstream.meddream import MedDreamBroker
from orthanc_share.web.authentication import Authenticator
from orthanc_share.web.health import Ping
from orthanc_share.web.lifespan import closing, open_broker
from orthanc_share.web.metrics import Metrics
from orthanc_share.web.middleware import install_middleware
from orthanc_share.web.operation import add_operation
from orthanc_share.web.plain import (
    NO_TELEMETRY,
    Answer,
    PlainEndpoint,
    PlainFastAPI,
)
from orthanc_share.web.problems import install_problems
from orthanc_share.web.routing import PlainRoutes
from orthanc_share.web.sharing import Sharing, build_sharing
from orthanc_share.web.startup import start
from token_service.documentation import add_documentation
from token_service.keeping import Keeper, NoKeeper, RegistryKeeper
from token_service.manage.build import manage_routes
from token_service.openapi import describe
from token_service.origins import Origins
from token_service.registering import build_registry, longest_validity
from token_service.registry_routes import (
    NEIGHBOURS,
    RegistryParts,
    Routes,
    merged,
    registry_routes,
)
from token_service.routes.contents import TokenContents
from token_service.routes.decisions import Decisions
from token_service.routes.emails import Emails
from token_service.routes.profiles import Profiles
from token_service.routes.roles import Roles
from token_service.routes.shares import ShareMaker
from token_service.settings import TokenServiceSettings


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the routes are made of."""

    settings: TokenServiceSettings
    sharing: Sharing
    broker: MedDreamBroker | None
    clock: Clock
    metrics: Metrics
    registry: Registry | None


def create_app(
    settings: TokenServiceSettings | None = None,
    *,
    clock: Clock = utc_now,
    registry: Registry | None = None,
) -> FastAPI:
    """Return the application.

    Args:
        settings: None: those of the process.
        clock: The present instant.
        registry: Is run here; others of the process use it too. None: one is made, if
            the settings want it.

    Raises:
        ConfigurationError: Something in the settings is wrong.
    """
    settings = start(TokenServiceSettings) if settings is None else settings
    sharing = build_sharing(settings, clock=clock, validity=longest_validity(settings))
    if not sharing.can_sign:
        raise ConfigurationError(["SECRET_KEY or SIGNING_KEY is missing: one signs."])
    stack = AsyncExitStack()
    if registry is None:
        registry = build_registry(settings, sharing, clock)
    broker = open_broker(settings, stack)
    parts = _Parts(settings, sharing, broker, clock, Metrics(), registry)
    app = PlainFastAPI(
        title="orthanc-share token-service",
        telemetry=NO_TELEMETRY,
        lifespan=closing(stack, *([] if registry is None else [registry.running])),
        version=version("orthanc-share"),
        docs_url=None,
        redoc_url=None,
        # The redirect would name whatever host the caller sent.
        redirect_slashes=False,
        openapi_url="/openapi.json" if settings.docs else None,
    )
    install_problems(app)
    add_operation(app, _pings(parts), parts.metrics if settings.metrics else None)
    describe(app, with_emails=settings.enable_emails)
    if settings.docs:
        add_documentation(app)
    _install_routes(app, parts)
    return app


def _install_routes(app: PlainFastAPI, parts: _Parts) -> None:
    everybody = Authenticator(parts.settings.users)
    # Whoever breaks into a service that faces the public must not make links with
    # its login.
    people = Authenticator(parts.settings.people())

    def endpoints(
        routes: Routes, *, are_questions: bool = False
    ) -> dict[str, dict[str, PlainEndpoint]]:
        return {
            path: {
                method: PlainEndpoint(
                    answer,
                    everybody if are_questions or path in NEIGHBOURS else people,
                    reads_anything=are_questions,
                    answer_at_once=(
                        answer.answer if isinstance(answer, Decisions) else None
                    ),
                )
                for method, answer in methods.items()
            }
            for path, methods in routes.items()
        }

    registry = _registry_parts(parts)
    api = _routes(parts, registry)
    pages = manage_routes(parts.settings, registry, people, api)
    app.add_middleware(PlainRoutes, routes={**endpoints(api), **pages})
    install_middleware(app, parts.metrics)
    # `first` answers the questions before any middleware; what is added here refuses
    # other methods of their paths.
    questions = endpoints(_questions(parts), are_questions=True)
    app.add_middleware(PlainRoutes, routes=questions)
    app.first = questions
    app.posts_at_once = {
        path.encode(): methods["POST"].at_once for path, methods in questions.items()
    }


def _questions(parts: _Parts) -> Routes:
    """Return what the plugin asks all the time."""
    decisions = Decisions(
        parts.sharing.codec,
        parts.settings.access_policy(parts.sharing.policy),
        parts.clock,
        parts.metrics,
        None if parts.registry is None else parts.registry.watch,
    )
    register = None if parts.registry is None else parts.registry.register
    contents = TokenContents(parts.sharing, parts.broker, parts.clock, register)
    file = parts.settings.anonymous_profile_file_path
    profiles = Profiles(load_anonymous_profile(file))
    return {
        "/tokens/validate": {"POST": decisions},
        "/shares/validate": {"POST": decisions},
        "/tokens/decode": {"POST": contents},
        "/shares/decode": {"POST": contents},
        "/user/get-profile": {"POST": profiles},
        "/shares/profile": {"POST": profiles},
    }


def _routes(parts: _Parts, registry: RegistryParts | None) -> Routes:
    """Return the other routes of the API."""
    maker = ShareMaker(
        parts.sharing,
        parts.settings.lifetime_policy(),
        parts.broker,
        parts.clock,
        parts.metrics,
        keeper=_keeper(parts),
        allow_patients=parts.settings.allow_patient_level,
    )
    roles = Roles(RolesFile(parts.settings.permissions_file_path))
    roles_methods: Mapping[str, Answer] = {"GET": roles.show, "PUT": roles.replace}
    return merged(
        {
            "/shares": {"PUT": maker},
            "/shares/{share}": {"PUT": maker},
            "/tokens/{type}": {"PUT": maker},
            "/settings/roles": roles_methods,
            "/shares/roles": roles_methods,
        },
        registry_routes(registry),
        _email_routes(parts),
    )


def _email_routes(parts: _Parts) -> Routes:
    if not parts.settings.enable_emails:
        return {}
    emails = Emails(_mailer(parts))
    return {
        "/emails/templates": {"GET": emails.names},
        "/emails/send": {"POST": emails.send},
        "/emails/templates/{name}": {"GET": emails.template},
    }


def _registry_parts(parts: _Parts) -> RegistryParts | None:
    if parts.registry is None:
        return None
    return RegistryParts(
        parts.registry,
        parts.sharing.links,
        parts.settings.lifetime_policy(),
        Origins(parts.settings.trusted_proxies),
        parts.clock,
    )


def _mailer(parts: _Parts) -> Mailer:
    templates = MailTemplates(parts.settings.emails_templates_root)
    return Mailer(parts.settings.mail_options(), templates, clock=parts.clock)


def _pings(parts: _Parts) -> dict[str, Ping]:
    pings: dict[str, Ping] = {}
    if parts.broker is not None:
        pings["meddream"] = parts.broker.ping
    if parts.registry is not None:
        pings["registry"] = parts.registry.ping
    return pings


def _keeper(parts: _Parts) -> Keeper:
    if parts.registry is None:
        return NoKeeper()
    style = parts.settings.link_style
    return RegistryKeeper(
        parts.registry,
        parts.sharing.links,
        style,
        parts.clock,
        Origins(parts.settings.trusted_proxies),
        addresses=parts.settings.notice_addresses(),
    )
