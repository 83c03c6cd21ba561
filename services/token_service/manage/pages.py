"""Renders the pages: token-service's home of Jinja2 and Babel.

No page holds a script or a style of its own: both are files of ours, named in the
policy, so that nothing that somebody typed can become one.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import jinja2
from babel import Locale, negotiate_locale
from babel.dates import format_date, format_time
from babel.localedata import locale_identifiers
from starlette.responses import Response

from orthanc_share.domain.share import Flavour
from token_service.manage import words
from token_service.manage.sessions import Session
from token_service.manage.visit import Visit

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; img-src data:; script-src 'self'; style-src 'self'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Frame-Options": "DENY",
}
"""Of every page; `SafeHeadersMiddleware` adds the others."""

STATIC: Final[Mapping[str, str]] = {
    "manage.css": "text/css; charset=utf-8",
    "manage.js": "text/javascript; charset=utf-8",
}
"""Our files and their media types."""

SOURCE_LANGUAGE: Final = "en"
"""Language of the texts."""

Translate = Callable[[str], str]
"""Returns a text in another language."""

_HERE: Final = Path(__file__).parent
_TAGS: Final = [tag.replace("_", "-").lower() for tag in locale_identifiers()]
_FOREVER: Final = "public, max-age=31536000, immutable"


class Pages:
    """All pages.

    Args:
        translate: Translates a text of ours; English stays English without.
    """

    def __init__(self, translate: Translate = str) -> None:
        self._files = {
            name: _HERE.joinpath("static", name).read_bytes() for name in STATIC
        }
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.install_gettext_callables(  # type: ignore[attr-defined] # of the extension
            translate,
            lambda one, many, number: translate(one if number == 1 else many),
            # The new style takes all that it is given for HTML, also what was typed.
            newstyle=False,
        )
        everything = b"".join(self._files.values())
        self._environment.globals |= {
            "version": hashlib.sha256(everything).hexdigest()[:12],
            "words": words,
            "anonymized": Flavour.ANONYMIZED,
        }

    def render(
        self,
        template: str,
        visit: Visit,
        session: Session | None = None,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> Response:
        """Return a page.

        Args:
            template: Name of its file, without `.html`.
            visit: The request.
            session: Who is logged in; None: nobody.
            status: HTTP status.
            headers: Further headers.
            context: What the template shows.
        """
        known: dict[str, Any] = {
            "visit": visit,
            "session": session,
            "root": visit.root,
            "dates": Dates(negotiated(visit.languages)),
            "errors": {},
        }
        found = self._environment.get_template(f"{template}.html")
        html = found.render(known | context)
        return Response(
            html,
            status,
            headers={**HEADERS, **(headers or {})},
            media_type="text/html",
        )

    def static(self, name: str) -> Response | None:
        """Return a file of ours; None: there is none of that name."""
        content = self._files.get(name)
        if content is None:
            return None
        headers = {**HEADERS, "Cache-Control": _FOREVER}
        return Response(content, headers=headers, media_type=STATIC[name])


class Dates:
    """Writes instants in the browser's language, always in UTC, and says so.

    Args:
        locale: The language.
    """

    def __init__(self, locale: Locale) -> None:
        self._locale = locale

    @property
    def tag(self) -> str:
        """Its tag (BCP 47)."""
        return str(self._locale).replace("_", "-")

    def instant(self, moment: datetime) -> str:
        """Return day and time of day."""
        joined = str(self._locale.datetime_formats["medium"])
        time = format_time(moment, "short", tzinfo=UTC, locale=self._locale)
        text = joined.replace("{1}", self.day(moment)).replace("{0}", time)
        return f"{text} UTC"

    def day(self, moment: date) -> str:
        """Return the day alone."""
        return format_date(moment, "medium", locale=self._locale)


def negotiated(languages: Sequence[str]) -> Locale:
    """Return what is known of the first language that is; English without one."""
    wanted = [tag.lower() for tag in languages if tag]
    found = negotiate_locale(wanted, _TAGS, sep="-")
    return Locale.parse(found or SOURCE_LANGUAGE, sep="-")
