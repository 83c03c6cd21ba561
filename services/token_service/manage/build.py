"""Puts the pages together."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from orthanc_share.domain.errors import ShareError
from orthanc_share.domain.resource import Resource
from orthanc_share.domain.share import Flavour, Share, ShareType
from orthanc_share.domain.viewer import ViewerLinks
from orthanc_share.store.store import Store
from orthanc_share.web.authentication import Authenticator
from orthanc_share.web.routing import Methods
from token_service.manage.calls import ShareCalls
from token_service.manage.context import Context, Offer
from token_service.manage.pages import Pages
from token_service.manage.sessions import SessionKeeper
from token_service.manage.site import ManageSite, NoRegistry
from token_service.manage.visit import ROOT
from token_service.manage.words import TYPES
from token_service.registry_routes import RegistryParts, Routes
from token_service.settings import TokenServiceSettings

METHODS = ("GET", "POST")
"""What a page can be asked with; each says itself which of them it takes."""

# Both ids, and no patient's: what each viewer needs to say whether it is set up.
_SAMPLE = Resource(
    dicom_uid="1.2.3", orthanc_id="11111111-22222222-33333333-44444444-55555555"
)


def manage_routes(
    settings: TokenServiceSettings,
    parts: RegistryParts | None,
    authenticator: Authenticator,
    api: Routes,
) -> Mapping[str, Methods]:
    """Return what answers `/manage` and everything below.

    Args:
        settings: Of the service.
        parts: Of the registry; None: there is none.
        authenticator: Knows the passwords.
        api: The API's routes, which do what is asked for here.
    """
    site: ASGIApp = NoRegistry(Pages())
    if parts is not None:
        site = ManageSite(_context(settings, parts, authenticator, api))
    return {
        ROOT: {"GET": _to_the_list},
        f"{ROOT}/{{page}}": dict.fromkeys(METHODS, site),
    }


def _context(
    settings: TokenServiceSettings,
    parts: RegistryParts,
    authenticator: Authenticator,
    api: Routes,
) -> Context:
    def store() -> Store:
        return parts.registry.store

    return Context(
        pages=Pages(),
        store=store,
        sessions=SessionKeeper(store, settings.people(), parts.clock),
        authenticator=authenticator,
        has_users=settings.users is not None,
        calls=ShareCalls.among(api),
        fresh_links=parts.fresh_links(),
        offer=offer(parts),
        notices=settings.notice_addresses(),
        trusted=settings.trusted_proxies,
        clock=parts.clock,
    )


def offer(parts: RegistryParts) -> Offer:
    """Return what new shares may be on this site."""
    links = parts.links
    kinds = [kind for kind in TYPES if kind.is_publication]
    standard = [kind for kind in kinds if _is_set_up(links, kind, Flavour.STANDARD)]
    anonymized = [kind for kind in kinds if _is_set_up(links, kind, Flavour.ANONYMIZED)]
    return Offer(
        types=[kind for kind in kinds if kind in {*standard, *anonymized}],
        anonymized=bool(anonymized),
        lifetimes=parts.lifetimes,
    )


def _is_set_up(links: ViewerLinks, kind: ShareType, flavour: Flavour) -> bool:
    try:
        links.check(Share("sample", kind, (_SAMPLE,), flavour))
    except ShareError:
        return False
    return True


async def _to_the_list(scope: Scope, receive: Receive, send: Send) -> None:
    """Lead from `/manage` to `/manage/`; the way is relative, for a proxy's prefix."""
    target = f"{ROOT.removeprefix('/')}/"
    headers: Mapping[str, str] = {"Location": target}
    answer = Response(status_code=HTTPStatus.PERMANENT_REDIRECT, headers=headers)
    await answer(scope, receive, send)
