"""Values that must not come out, and the register of where each was put."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from suite.leaktest.needles import Kind, Needle

UID_ROOT = "1.3.6.1.4.1.99999.7"
"""Arc of the corpus's UIDs; no other UID of a test is under it."""

_FIRST_DAY = date(1805, 1, 1)
_DAYS = 90 * 365
_PREFIX = "QZ"
_RANDOM_LETTERS = 6

_SCRIPTS = {
    "latin_1": "ÄÖÜßàéîõúñçøÅÆÐÞ",
    "iso8859_5": "БГДЖИЛПФЦЧШЩЪЫЭЮЯ",
    "iso8859_7": "ΓΔΘΛΞΠΣΦΨΩαβγδεζ",
    "iso8859_6": "ابتثجحخدذرزسشصضط",
    "shift_jis": "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀ",
    "iso2022_jp": "山田太郎佐藤鈴木高橋伊東中村小林",
    "euc_kr": "김이박최정강조윤장임한오서신권황",
    "gb18030": "王李张刘陈杨赵黄周吴徐孙胡朱高林",
    "utf_8": "ŁŹČŽŐŘŤŽĎŇāēīōūŋ",
}


@dataclass
class Canaries:
    """Makes values that are not repeated, and remembers them.

    Args:
        name: Other names make other values: one for each patient.
    """

    name: str
    needles: list[Needle] = field(default_factory=list)
    _counter: int = 0

    def text(self, source: str) -> str:
        """Return eight letters that any text VR takes, CS included."""
        letters = base64.b32encode(self._digest()[:5]).decode()[:_RANDOM_LETTERS]
        return self._noted(Kind.TEXT, _PREFIX + letters, source)

    def uid(self, source: str) -> str:
        """Return a UID under `UID_ROOT`."""
        number = int.from_bytes(self._digest()[:6], "big")
        return self._noted(Kind.UID, f"{UID_ROOT}.{self._counter}.{number}", source)

    def date(self, source: str) -> str:
        """Return a day of the nineteenth century, as DA."""
        number = int.from_bytes(self._digest()[:4], "big") % _DAYS
        day = _FIRST_DAY + timedelta(days=number)
        return self._noted(Kind.DATE, f"{day:%Y%m%d}", source)

    def time(self, source: str) -> str:
        """Return a time shortly before midnight, as TM."""
        fraction = int.from_bytes(self._digest()[:4], "big") % 900_000 + 100_000
        return self._noted(Kind.TIME, f"2357{fraction % 60:02}.{fraction}", source)

    def moment(self, source: str) -> str:
        """Return date and time, as DT."""
        return self.date(source) + self.time(source)

    def age(self, source: str) -> str:
        """Return an age of many weeks, as AS: too short to be looked for amid words."""
        weeks = 800 + int.from_bytes(self._digest()[:2], "big") % 200
        return self._noted(Kind.NUMBER, f"{weeks}W", source)

    def decimal(self, source: str) -> str:
        """Return a DS of 14 digits that is the same as a binary number."""
        parts = 2 * int.from_bytes(self._digest()[:4], "big") + 1
        number = 10_000 + parts % (80_000 * 256) / 256
        return self._noted(Kind.NUMBER, f"{number:.8f}", source)

    def integer(self, source: str) -> str:
        """Return an IS near the largest one, which is no time of our days."""
        number = 2_000_000_000 + int.from_bytes(self._digest()[:4], "big") % 147_000_000
        return self._noted(Kind.NUMBER, str(number), source)

    def short(self) -> int:
        """Return a US; two bytes are anywhere, so it has to be looked for by its tag.

        Both bytes are no ASCII: it does not look like text either.
        """
        high, low, *_rest = self._digest()
        return (0x80 | high) << 8 | 0x80 | low

    def native(self, source: str, charset: str) -> str:
        """Return six letters of the script of a Python codec."""
        letters = _SCRIPTS[charset]
        digest = self._digest()
        value = "".join(letters[byte % len(letters)] for byte in digest[:6])
        return self._noted(Kind.NATIVE, value, source)

    def forget(self, value: str, file: str) -> None:
        """Forget a value that did not find its way into its file after all."""
        source = f"{self.name}/{file}/"
        self.needles = [
            needle
            for needle in self.needles
            if needle.value != value or not needle.source.startswith(source)
        ]

    def known(self, kind: Kind, value: str, source: str) -> str:
        """Note a value that was made elsewhere."""
        return self._noted(kind, value, source)

    def _digest(self) -> bytes:
        self._counter += 1
        return hashlib.sha256(f"{self.name}/{self._counter}".encode()).digest()

    def _noted(self, kind: Kind, value: str, source: str) -> str:
        self.needles.append(Needle(value, kind, f"{self.name}/{source}"))
        return value


def by_source(needles: list[Needle], part: str) -> Iterator[Needle]:
    """Give the canaries whose source holds `part`."""
    return (needle for needle in needles if part in needle.source)
