"""The languages of the pages: the only home of Babel."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError, negotiate_locale
from babel.dates import format_date, format_time, get_timezone_gmt, get_timezone_name
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import format_decimal

from orthanc_share.domain.errors import ConfigurationError

SOURCE_LANGUAGE: Final = "en"
"""Language of the messages in the source."""

DOMAIN: Final = "landing"
"""gettext's name for our messages: `<folder>/<language>/LC_MESSAGES/landing.po`."""


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

    def number(self, number: int) -> str:
        """Return `number` for a reader."""
        return format_decimal(number, locale=self.locale)

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


def choose(languages: Mapping[str, Language], asked: Iterable[str]) -> Language:
    """Return the first language that fits one of the tags `asked`, best first."""
    tags = [tag.lower() for tag in asked if tag]
    found = negotiate_locale(tags, list(languages), sep="-")
    return languages[found or SOURCE_LANGUAGE]
