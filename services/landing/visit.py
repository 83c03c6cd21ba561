"""The request as a page sees it."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

LANGUAGES_ASKED_MAX: Final = 20
"""Most languages that are read from one `Accept-Language` field."""

_QUALITY = re.compile(
    r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Visit:
    """What a page needs to know about the request that it answers.

    Args:
        reference: Id of the request, which support finds in the log.
        lang: Value of the argument `lang`; empty if there is none.
        accept_language: Value of the field of this name; empty if there is none.
        token: The token if it may be repeated in links of the page, `""` if there was
            one that may not, None if there was none.
        nonce: What the form of the page sends back, if it has one.
    """

    reference: str
    lang: str = ""
    accept_language: str = ""
    token: str | None = field(default=None, repr=False)
    nonce: str | None = field(default=None, repr=False)

    def href(self, language: str) -> str:
        """Return a link to the same page in `language`.

        It is relative and has no path: it stays right behind every prefix.
        """
        arguments = {"token": self.token, "lang": language}
        given = (
            (name, value) for name, value in arguments.items() if value is not None
        )
        return "?" + "&".join(
            f"{name}={quote(value, safe='')}" for name, value in given
        )

    def languages_asked(self) -> list[str]:
        """Return the tags of `Accept-Language`, best first (RFC 9110 12.5.4).

        What cannot be read, `*`, and what has the weight 0, is left out.
        """
        weighted: list[tuple[float, str]] = []
        fields = self.accept_language.split(",", LANGUAGES_ASKED_MAX)
        for item in fields[:LANGUAGES_ASKED_MAX]:
            tag, _, parameter = (part.strip() for part in item.partition(";"))
            weight = _QUALITY.fullmatch(parameter or "q=1")
            if tag and tag != "*" and weight is not None and float(weight[1]) > 0:
                weighted.append((float(weight[1]), tag))
        return [tag for _, tag in sorted(weighted, key=_weight, reverse=True)]


def _weight(weighted: tuple[float, str]) -> float:
    return weighted[0]
