"""Settings of the landing service."""

from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field
from typing_extensions import override

from landing import colours, kinds
from landing.pages import Pages
from landing.site import DEFAULT_COLOUR, Site, contact_parts, logo_url, origin_of
from landing.text_settings import TextSettings
from orthanc_share.config.settings import AskingSettings
from orthanc_share.config.values import Duration
from orthanc_share.domain.errors import ConfigurationError

_FORM_MISSING = (
    "LANDING_TEMPLATES_DIR: a page that asks lacks the block `form` of"
    " default/page.html; without it no link with a limit or a password opens."
)
_NOBODY_TO_ASK = (
    "LANDING_ASK_BEFORE_OPEN needs the registry, which knows whether the button was"
    " pressed: remove REGISTRY=off."
)


def _colour(text: str) -> str:
    if not colours.is_colour(text):
        raise ValueError("should be a colour of the form #rrggbb")
    return text.lower()


def _logo(path: Path) -> Path:
    try:
        logo_url(path)
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from None
    return path


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise ValueError("is not a folder")
    return path


def _timezone(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return ZoneInfo(value)
    except (OSError, ValueError, KeyError):
        # A folder of zones, "../", and an unknown name, which is a KeyError.
        raise ValueError("is not an IANA time zone such as Europe/Berlin") from None


Folder = Annotated[Path, AfterValidator(_folder)]
"""A folder that exists."""


class LandingSettings(TextSettings, AskingSettings):
    """What the landing service needs: how to read links, and how the site looks."""

    ALIASES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **AskingSettings.ALIASES,
        # So the predecessor's documentation spelt it (defect S25).
        "message_expired_token": ("MESSAGE_EXIRED_TOKEN",),
    }

    site_name: Annotated[
        str | None,
        Field(description="Name of practice or hospital", max_length=80),
    ] = None
    site_logo: Annotated[
        Annotated[Path, AfterValidator(_logo)] | None,
        Field(description="Image file, at most 100 kB: SVG, PNG, JPEG, GIF or WebP"),
    ] = None
    site_color: Annotated[
        str,
        AfterValidator(_colour),
        Field(description="Colour of the site, `#rrggbb`; contrast is looked after"),
    ] = DEFAULT_COLOUR
    site_contact: Annotated[
        str | None,
        Field(
            description="Whom to ask: text with e-mail, phone or web address",
            max_length=500,
        ),
    ] = None
    site_language: Annotated[
        str,
        Field(description="Language for browsers that ask for none of ours"),
    ] = "en"
    site_timezone: Annotated[
        tzinfo,
        BeforeValidator(_timezone),
        Field(description="Time zone of the instants on pages, such as Europe/Berlin"),
    ] = UTC
    messages_are_html: Annotated[
        bool,
        Field(
            description="Whether MESSAGE_* is HTML, for whose safety the site answers"
        ),
    ] = False
    landing_ask_before_open: Annotated[
        bool, Field(description="Whether every link shows a button before it opens")
    ] = False
    opening_grace: Annotated[
        Duration,
        Field(
            description="How long a browser may reload an opened link without counting",
            le=timedelta(days=1),
        ),
    ] = timedelta(minutes=30)
    landing_templates_dir: Annotated[
        Folder | None, Field(description="Folder with templates that replace ours")
    ] = None
    landing_locales_dir: Annotated[
        Folder | None,
        Field(description="Folder with more languages, or other translations"),
    ] = None

    @override
    def contradictions(self) -> Iterator[str]:
        """Yield a line for each way in which settings contradict each other."""
        yield from super().contradictions()
        if self.landing_ask_before_open and not self.registry:
            yield _NOBODY_TO_ASK
        try:
            pages = self.pages()
        except ConfigurationError as error:
            yield from error.problems
        else:
            if self.registry and pages.without_form():
                yield _FORM_MISSING

    @override
    def warnings(self) -> Iterator[str]:
        """Yield a line for each setting that is possible, but hardly meant so."""
        yield from super().warnings()
        if self.public_meddream_root and not self.public_landing_root:
            yield "PUBLIC_LANDING_ROOT is missing: MedDream links are not opened here."
        if self.signing_key is not None:
            yield "SIGNING_KEY: not needed here, VERIFICATION_KEYS suffices."

    def site(self) -> Site:
        """Return the site as its pages show it."""
        return Site(
            name=self.site_name,
            logo=None if self.site_logo is None else logo_url(self.site_logo),
            colour=self.site_color,
            contact=contact_parts(self.site_contact or ""),
            texts={kind.setting: self.own_text(kind.setting) for kind in kinds.ALL},
            texts_are_html=self.messages_are_html,
            language=self.site_language,
            timezone=self.site_timezone,
            viewers=self._viewers(),
        )

    def _viewers(self) -> tuple[str, ...]:
        """Return the origins of the viewers that are not the landing page's own."""
        roots = self.viewer_roots()
        viewers = (roots.orthanc, roots.anonymized_orthanc, roots.ohif, roots.meddream)
        origins = dict.fromkeys(origin_of(root) for root in viewers if root)
        if roots.landing:
            origins.pop(origin_of(roots.landing), None)
        return tuple(origins)

    def pages(self) -> Pages:
        """Return the pages of the site.

        Raises:
            ConfigurationError: A translation or a template cannot be used.
        """
        return Pages(self.site(), self.landing_locales_dir, self.landing_templates_dir)
