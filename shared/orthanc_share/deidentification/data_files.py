"""The files in `data/`; its README tells where they come from."""

from importlib.resources import files
from typing import TypeVar

import msgspec

T = TypeVar("T")


def read(name: str, type_: type[T]) -> T:
    """Return the content of the JSON file `name` as a value of `type_`."""
    content = files("orthanc_share.deidentification").joinpath("data", name)
    return msgspec.json.decode(content.read_bytes(), type=type_)


def read_by_tag(name: str, type_: type[T]) -> dict[int, T]:
    """Return the content of a JSON object whose keys are tags, `GGGGEEEE`."""
    return {int(key, 16): value for key, value in read(name, dict[str, type_]).items()}  # type: ignore[valid-type]
