"""Pages in the reader's language: the only home of Jinja2.

No page holds a script, or anything from another server. The style sheet is part of
the page and named in the policy by its hash, so that a page is one request.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import jinja2

from landing import colours, kinds
from landing.languages import Language, choose, load_languages
from landing.page_kind import Form, PageKind
from landing.site import OwnText, Site
from landing.visit import Visit
from orthanc_share.domain.errors import ConfigurationError

_HERE = Path(__file__).parent
_POLICY = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"


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
                self.render(kind, Visit("start"), datetime.now(UTC), 1)
        except (jinja2.TemplateError, UnicodeDecodeError) as error:
            problem = f"LANDING_TEMPLATES_DIR: {_describe(error)}"
            raise ConfigurationError([problem]) from error

    def without_form(self) -> Sequence[PageKind]:
        """Return the kinds whose template of the site leaves out what is asked."""
        mark = "a-nonce-of-the-start"
        visit, now = Visit("start", nonce=mark), datetime.now(UTC)
        asking = (kind for kind in kinds.ALL if kind.form is not Form.NONE)
        return [
            kind
            for kind in asking
            if mark.encode() not in self.render(kind, visit, now, 1).body
        ]

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
        asked = [visit.lang, *visit.languages_asked(), self._site.language]
        return choose(self._languages, asked)

    def render(
        self,
        kind: PageKind,
        visit: Visit,
        moment: datetime | None = None,
        count: int | None = None,
    ) -> Page:
        """Return the page `kind` as an answer to `visit`.

        Args:
            kind: What happened.
            visit: The request.
            moment: The instant that the page names, if it names one.
            count: The number that the page names, if it names one.
        """
        if kind in self._files:
            return Page(self._files[kind], _policy("'unsafe-inline'", "'none'"), None)
        language = self.language(visit)
        context = {
            "_": language.text,
            "css": self._css,
            "kind": kind,
            "language": language,
            "languages": self._picker,
            "site": self._site,
            "visit": visit,
            **self._texts(kind, language, self._values(language, moment, count)),
        }
        html = self._templates[kind].render(context)
        policy = _policy(_hash(self._css), self._form_action(kind))
        return Page(html.encode(), policy, language.tag)

    def _form_action(self, kind: PageKind) -> str:
        if kind.form is Form.NONE:
            return "'none'"
        # Chromium holds the redirect that answers a form to this rule as well.
        return " ".join(["'self'", *self._site.viewers])

    def _values(
        self, language: Language, moment: datetime | None, count: int | None
    ) -> Mapping[str, str]:
        """Return what stands for the placeholders of texts."""
        values = {}
        if moment is not None:
            values["{date}"] = language.instant(moment, self._site.timezone)
        if count is not None:
            values["{count}"] = language.number(count)
        return values

    def _texts(
        self, kind: PageKind, language: Language, values: Mapping[str, str]
    ) -> dict[str, object]:
        own = self._site.texts.get(kind.setting, OwnText())
        advice = () if own.message else kind.advice
        note = language.text(kind.note) if "{count}" in values else ""
        return {
            "own": own,
            "title": _fill(own.title or language.text(kind.title), values),
            "message": _fill(own.message or language.text(kind.message), values),
            "advice": [language.text(line) for line in advice],
            "note": _fill(note, values),
        }


def _fill(text: str, values: Mapping[str, str]) -> str:
    # No format string: a stray brace in the site's own text must not break the page.
    for name, value in values.items():
        text = text.replace(name, value)
    return text


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


def _policy(style: str, form_action: str) -> str:
    return f"{_POLICY}; form-action {form_action}; img-src data:; style-src {style}"


def _describe(error: Exception) -> str:
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"{error.name}, line {error.lineno}: {error.message}"
    return str(error)
