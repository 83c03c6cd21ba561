"""A profile as a TOML file: every mistake in it is told, and nothing unsafe is taken.

```toml
options = ["retain-modified-dates", "Retain Patient Characteristics Option"]
blocked = "placeholder"         # or "hide"
allowed-modalities = ["US"]
ocr = true                      # wants the extra of this name, and tesseract

[[masks]]
manufacturer = "GE Healthcare"
model = "LOGIQE9"
rows = 720
columns = 960
regions = [[0, 0, 960, 60]]     # x, y, width, height
```

Options go by their names in PS3.15 E.3 as well, however these are written.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orthanc_share.deidentification import text_in_pixels
from orthanc_share.deidentification.profile import Blocked, MaskRule, Option, Profile
from orthanc_share.deidentification.regions import Region
from orthanc_share.deidentification.storage_classes import PERMITS
from orthanc_share.domain.errors import ConfigurationError

SETTING = "DEIDENTIFICATION_PROFILE"
"""The setting that names the file; each problem starts with it."""

IMAGE_SIDE_MAX = 65_535
"""Rows or columns of an image: both are US (PS3.3 C.7.6.3)."""

REFUSED_OPTIONS = {
    "retain-uids": "UIDs tell place, time and device, and find the study in the PACS",
    "retain-full-dates": "offered is retain-modified-dates",
    "clean-pixel-data": "it follows from masks, for the images that have one",
    "clean-recognizable-visual-features": "faces cannot be removed reliably",
    "clean-graphics": "what graphics show cannot be checked; they are removed",
    "clean-structured-content": "reports cannot be checked; they are not shown",
}
"""Options of PS3.15 E.3 that cannot be honoured safely, and why."""

_GAPS = re.compile(r"[\s-]+")
_LONGITUDINAL = re.compile(
    "(?<=^retain-)longitudinal-temporal-information-(with-)?(?=(full|modified)-dates$)"
)
"""What the names of E.3.6 say of dates; PS3.16 CID 7050 has them without the "with"."""

_KEYS = {"options", "blocked", "allowed-modalities", "masks", "ocr"}
_MASK_TEXTS = ("manufacturer", "model")
_MASK_SIDES = ("rows", "columns")
_REGION_LENGTH = 4


def load(path: Path) -> Profile:
    """Return the profile in the file `path`.

    Raises:
        ConfigurationError: It cannot be read, or holds mistakes: all are told.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        problem = f"the file cannot be read ({error.strerror})"
        raise ConfigurationError([f"{SETTING}: {problem}."]) from None
    except ValueError:
        # The parser's own text would show a part of the content.
        problem = "the file is not TOML in UTF-8"
        raise ConfigurationError([f"{SETTING}: {problem}."]) from None
    return _Reader().profile(content)


class _Reader:
    """Turns the content into a profile and collects what is wrong with it."""

    def __init__(self) -> None:
        self._problems: list[str] = []

    def profile(self, content: Mapping[str, Any]) -> Profile:
        self._no_others(content, _KEYS, "")
        profile = Profile(
            options=self._options(content.get("options", [])),
            blocked=self._blocked(content.get("blocked", Blocked.PLACEHOLDER)),
            allowed_modalities=self._permits(content.get("allowed-modalities", [])),
            masks=self._masks(content.get("masks", [])),
            ocr=self._ocr(content.get("ocr", False)),
        )
        if self._problems:
            raise ConfigurationError(self._problems)
        return profile

    def _wrong(self, problem: str) -> None:
        self._problems.append(f"{SETTING}: {problem}.")

    def _no_others(self, table: Mapping[str, Any], keys: set[str], where: str) -> None:
        for number, key in enumerate(table, 1):
            if key not in keys:
                known = ", ".join(sorted(keys))
                self._wrong(f"{where}key {number} is unknown; known are {known}")

    def _texts(self, value: Any, name: str) -> list[str]:
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return value
        self._wrong(f"{name} should be a list of texts")
        return []

    def _options(self, value: Any) -> frozenset[Option]:
        options = set()
        for number, written in enumerate(self._texts(value, "options"), 1):
            name = _option_name(written)
            if name in REFUSED_OPTIONS:
                self._wrong(f"{name} cannot be honoured: {REFUSED_OPTIONS[name]}")
            elif name in set(Option):
                options.add(Option(name))
            else:
                known = ", ".join(Option)
                self._wrong(
                    f"option {number} is unknown; known are {known}, also by their "
                    "names in PS3.15"
                )
        return frozenset(options)

    def _blocked(self, value: Any) -> Blocked:
        if isinstance(value, str) and value in set(Blocked):
            return Blocked(value)
        self._wrong(f"blocked should be one of {', '.join(Blocked)}")
        return Blocked.PLACEHOLDER

    def _permits(self, value: Any) -> frozenset[str]:
        names = self._texts(value, "allowed-modalities")
        for number, name in enumerate(names, 1):
            if name not in PERMITS:
                known = ", ".join(sorted(PERMITS))
                self._wrong(
                    f"allowed modality {number} cannot be permitted; can be: {known}"
                )
        return frozenset(names) & PERMITS

    def _ocr(self, value: Any) -> bool:
        if type(value) is not bool:
            self._wrong("ocr should be true or false")
        elif value and not text_in_pixels.is_installed():
            self._wrong(
                "ocr needs the extra, pip install 'orthanc-share[ocr]', and the "
                "program tesseract"
            )
        return value is True

    def _masks(self, value: Any) -> tuple[MaskRule, ...]:
        if not isinstance(value, list):
            self._wrong("masks should be a list of tables")
            return ()
        masks = [self._mask(one, f"mask {nr}: ") for nr, one in enumerate(value, 1)]
        kinds = [(m.manufacturer, m.model, m.rows, m.columns) for m in masks if m]
        if len(set(kinds)) < len(kinds):
            self._wrong("two masks are for the same images")
        return tuple(mask for mask in masks if mask)

    def _mask(self, value: Any, where: str) -> MaskRule | None:
        if not isinstance(value, dict):
            self._wrong(f"{where}it should be a table")
            return None
        before = len(self._problems)
        self._no_others(value, {*_MASK_TEXTS, *_MASK_SIDES, "regions"}, where)
        texts = [self._mask_text(value, name, where) for name in _MASK_TEXTS]
        sides = [self._mask_side(value, name, where) for name in _MASK_SIDES]
        if len(self._problems) > before:
            return None
        regions = self._regions(value.get("regions"), sides[0], sides[1], where)
        return MaskRule(texts[0], texts[1], sides[0], sides[1], regions)

    def _mask_text(self, mask: Mapping[str, Any], name: str, where: str) -> str:
        value = mask.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        self._wrong(f"{where}{name} should be a text")
        return ""

    def _mask_side(self, mask: Mapping[str, Any], name: str, where: str) -> int:
        value = mask.get(name)
        if type(value) is int and 0 < value <= IMAGE_SIDE_MAX:
            return value
        self._wrong(f"{where}{name} should be a number from 1 to {IMAGE_SIDE_MAX}")
        return 0

    def _regions(
        self, value: Any, rows: int, columns: int, where: str
    ) -> tuple[Region, ...]:
        if not isinstance(value, list) or not value:
            self._wrong(f"{where}regions should be a list of [x, y, width, height]")
            return ()
        regions = []
        for number, one in enumerate(value, 1):
            region = _region(one)
            if region and region.clipped(rows, columns) == region:
                regions.append(region)
            else:
                self._wrong(f"{where}region {number} is no rectangle inside the image")
        return tuple(regions)


def _option_name(written: str) -> str:
    """Return our name of an option, which may be written as in PS3.15 E.3."""
    name = _GAPS.sub("-", written.strip().lower()).removesuffix("-option")
    return _LONGITUDINAL.sub("", name)


def _region(value: Any) -> Region | None:
    if not isinstance(value, list) or len(value) != _REGION_LENGTH:
        return None
    if any(type(one) is not int or one < 0 for one in value):
        return None
    region = Region(*value)
    return region if region.width and region.height else None
