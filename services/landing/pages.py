"""Pages in the reader's language: the only home of Jinja2 and Babel.

No page holds a script, a form, or anything from another server. The style sheet is
part of the page and named in the policy by its hash, so that a page is one request.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final

import jinja2
from babel import Locale, UnknownLocaleError, negotiate_locale
from babel.dates import format_date, format_time, get_timezone_gmt, get_timezone_name
from babel.messages.pofile import PoFileError, read_po

from landing import colours, kinds
from landing.kinds import PageKind
from landing.site import OwnText, Site
from landing.visit import Visit
from orthanc_share.domain.errors import ConfigurationError

SOURCE_LANGUAGE: Final = "en"
"""Language of the messages in the source."""

DOMAIN: Final = "landing"
"""gettext's name for our messages: `<folder>/<language>/LC_MESSAGES/landing.po`."""

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Language:
    """A language that the pages speak.

    Args:
        locale: Babel's knowledge of it.
        messages: Translations by English message; English where one is missing.
    """

    locale: Locale
    messages: Mapping[str, str]

    @property
    def tag(self) -> str:
        """The tag for `lang` (BCP 47), for example `pt-BR`."""
        return str(self.locale).replace("_", "-")

    @property
    def name(self) -> str:
        """What its speakers call it, with a capital."""
        name = self.locale.get_display_name(self.locale) or self.tag
        return name[:1].upper() + name[1:]

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return self.locale.text_direction

    def text(self, message: str) -> str:
        """Return `message` in this language."""
        return self.messages.get(message, message)

    def instant(self, moment: datetime, timezone: tzinfo) -> str:
        """Return `moment` for a reader: day, time of day, and name of the zone."""
        local = moment.astimezone(timezone)
        zone = get_timezone_name(local, width="short", locale=self.locale)
        if not zone.isalpha():
            zone = get_timezone_gmt(local, width="long", locale=self.locale)
        day = format_date(local, "long", locale=self.locale)
        time = format_time(local, "short", tzinfo=timezone, locale=self.locale)
        joined = str(self.locale.datetime_formats["long"])
        return f"{joined.replace('{1}', day).replace('{0}', time)} ({zone})"


def load_languages(*folders: Path) -> dict[str, Language]:
    """Return the languages of `folders` by lower-case tag; a later folder wins.

    Each language is a file `<folder>/<language>/LC_MESSAGES/landing.po`, read as it
    is: nothing needs to be compiled. A later folder may replace single messages.

    Raises:
        ConfigurationError: A file is no PO file, or its folder names no language.
    """
    source = Language(Locale.parse(SOURCE_LANGUAGE), {})
    languages = {SOURCE_LANGUAGE: source}
    for folder in folders:
        for path in sorted(folder.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
            loaded = _load_language(path)
            known = languages.get(loaded.tag.lower(), source)
            messages = {**known.messages, **loaded.messages}
            languages[loaded.tag.lower()] = Language(loaded.locale, messages)
    return languages


def _load_language(path: Path) -> Language:
    name = path.parent.parent.name
    try:
        locale = Locale.parse(name)
        with path.open("rb") as file:
            catalogue = read_po(file, locale, ignore_obsolete=True, abort_invalid=True)
    except (UnknownLocaleError, ValueError, PoFileError) as error:
        problem = f"locales: {name}/LC_MESSAGES/{path.name}: {error}"
        raise ConfigurationError([problem]) from error
    translations = {
        message.id: message.string
        for message in catalogue
        if isinstance(message.id, str) and message.id and not message.fuzzy
    }
    return Language(
        locale, {key: str(text) for key, text in translations.items() if text}
    )


@dataclass(frozen=True, slots=True)
class Page:
    """A page, ready to be sent.

    Args:
        body: HTML, UTF-8.
        policy: Its `Content-Security-Policy`.
        language: Tag for `Content-Language`; None: a file of the site, we cannot know.
    """

    body: bytes
    policy: str
    language: str | None


class Pages:
    """Renders every kind of page for one site.

    Args:
        site: Name, logo, colour, contact and own texts.
        locales: A folder with more languages, or other translations.
        templates: A folder whose templates replace ours: `page.html` all pages,
            `expired.html` one, `page.css`, `icons/…`; `default/page.html` is ours.
            A file `expired-token.html` and the like is sent as it is, as the
            predecessor did.

    Raises:
        ConfigurationError: A translation or a template of the site cannot be used.
    """

    def __init__(
        self, site: Site, locales: Path | None = None, templates: Path | None = None
    ) -> None:
        self._site = site
        self._languages = load_languages(_HERE / "locales", *_given(locales))
        self._picker = sorted(self._languages.values(), key=lambda one: one.name)
        self._check_language()
        self._files = _read_whole_pages(templates)
        environment = _environment(templates)
        try:
            self._css = _style_sheet(environment, site.colour)
            self._templates = {
                kind: environment.select_template([f"{kind.name}.html", "page.html"])
                for kind in kinds.ALL
            }
            for kind in kinds.ALL:
                self.render(kind, Visit("start"), datetime.now(UTC))
        except (jinja2.TemplateError, UnicodeDecodeError) as error:
            problem = f"LANDING_TEMPLATES_DIR: {_describe(error)}"
            raise ConfigurationError([problem]) from error

    def _check_language(self) -> None:
        if self._site.language.lower() not in self._languages:
            known = ", ".join(language.tag for language in self._picker)
            raise ConfigurationError([f"SITE_LANGUAGE: should be one of {known}."])

    @property
    def languages(self) -> Sequence[Language]:
        """All languages, in the order of the picker: by their own names."""
        return self._picker

    def language(self, visit: Visit) -> Language:
        """Return the language for `visit`: chosen, else preferred, else the site's."""
        asked = [
            visit.lang,
            *visit.languages_asked(),
            self._site.language,
        ]
        found = negotiate_locale(
            [tag.lower() for tag in asked if tag], list(self._languages), sep="-"
        )
        return self._languages[found or SOURCE_LANGUAGE]

    def render(
        self, kind: PageKind, visit: Visit, moment: datetime | None = None
    ) -> Page:
        """Return the page `kind` as an answer to `visit`.

        Args:
            kind: What happened.
            visit: The request.
            moment: The instant that the page names, if it names one.
        """
        if kind in self._files:
            return Page(self._files[kind], _policy("'unsafe-inline'"), None)
        language = self.language(visit)
        context = {
            "_": language.text,
            "css": self._css,
            "kind": kind,
            "language": language,
            "languages": self._picker,
            "site": self._site,
            "visit": visit,
            **self._texts(kind, language, moment),
        }
        html = self._templates[kind].render(context)
        return Page(html.encode(), _policy(_hash(self._css)), language.tag)

    def _texts(
        self, kind: PageKind, language: Language, moment: datetime | None
    ) -> dict[str, object]:
        own = self._site.texts.get(kind.setting, OwnText())
        date = None
        if moment is not None:
            date = language.instant(moment, self._site.timezone)
        advice = () if own.message else kind.advice
        return {
            "own": own,
            "title": _fill(own.title or language.text(kind.title), date),
            "message": _fill(own.message or language.text(kind.message), date),
            "advice": [language.text(line) for line in advice],
        }


def _fill(text: str, date: str | None) -> str:
    # No format string: a stray brace in the site's own text must not break the page.
    return text if date is None else text.replace("{date}", date)


def _given(folder: Path | None) -> tuple[Path, ...]:
    return () if folder is None else (folder,)


def _environment(templates: Path | None) -> jinja2.Environment:
    ours = jinja2.FileSystemLoader([_HERE / "templates", _HERE / "static"])
    own = jinja2.FileSystemLoader(_given(templates))
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([own, ours, jinja2.PrefixLoader({"default": ours})]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def _style_sheet(environment: jinja2.Environment, colour: str) -> str:
    return environment.get_template("page.css").render(
        light=colours.scheme(colour, colours.LIGHT_CARD),
        dark=colours.scheme(colour, colours.DARK_CARD),
        light_card=colours.LIGHT_CARD,
        dark_card=colours.DARK_CARD,
    )


def _read_whole_pages(folder: Path | None) -> dict[PageKind, bytes]:
    """Return the pages that the site wrote itself, as the predecessor's users did."""
    pages = {}
    for kind in kinds.ALL if folder else ():
        path = Path(*_given(folder), kind.setting.lower().replace("_", "-") + ".html")
        if kind.setting.endswith("_TOKEN") and path.is_file():
            pages[kind] = path.read_bytes()
    return pages


def _hash(style: str) -> str:
    digest = hashlib.sha256(style.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _policy(style: str) -> str:
    return f"{_POLICY}; img-src data:; style-src {style}"


def _describe(error: Exception) -> str:
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"{error.name}, line {error.lineno}: {error.message}"
    return str(error)
