"""The settings of all services as a Markdown table: `python -m suite.settings_table`.

The README holds this table; a test compares the two.
"""

from collections.abc import Iterator
from datetime import timedelta, tzinfo
from enum import Enum
from typing import Any

from orthanc_share.config.settings import SharingSettings
from suite.app import SETTINGS

HEADER = "| variable | services | default | what for |\n|---|---|---|---|"
"""Head of the table."""


def rows() -> Iterator[str]:
    """Yield a line for each setting, in the order in which the services name them."""
    for field in dict.fromkeys(f for kind in SETTINGS.values() for f in _fields(kind)):
        users = {
            name: kind for name, kind in SETTINGS.items() if field in _fields(kind)
        }
        kind = next(iter(users.values()))
        names = [name for name, of in kind.variables().items() if of == field]
        about = kind.model_fields[field]
        cells = (
            ", ".join(f"`{name}`" for name in names),
            "all" if len(users) == len(SETTINGS) else ", ".join(users),
            _default(about.default),
            about.description or "",
        )
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def table() -> str:
    """Return the whole table."""
    return "\n".join((HEADER, *rows()))


def _fields(kind: type[SharingSettings]) -> list[str]:
    return list(kind.model_fields)


def _default(value: Any) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, timedelta):
        text = f"{int(value.total_seconds())}s"
    elif isinstance(value, Enum):
        text = str(value.value)
    elif isinstance(value, tzinfo):
        text = value.tzname(None) or ""
    else:
        text = str(value)
    return f"`{text}`"


if __name__ == "__main__":
    print(table())  # noqa: T201 - what this module is for
