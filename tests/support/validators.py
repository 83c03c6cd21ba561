"""What validators say of an object: dciodvfy, dicom-validator, and dcmdump.

dciodvfy (dicom3tools) knows types, conditions, values and items of sequences.
dicom-validator reads DocBook, which no package has; highdicom has the same tables
(PS3.3: types of attributes by module, modules by IOD), though without the conditions.
dcmdump (dcmtk) only reads: elements, lengths, encodings.
"""

import io
import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from dicom_validator.validator.dicom_info import DicomInfo
from dicom_validator.validator.error_handler import NullValidationResultHandler
from dicom_validator.validator.iod_validator import IODValidator
from pydicom import dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.tag import Tag

from tests.support.real import require

_UID = re.compile("<[0-9.]+>")


def dciodvfy_errors(file: bytes, folder: Path) -> set[str]:
    """Return the errors that dciodvfy finds in a file, without the values.

    Args:
        file: Not of a deflated transfer syntax, which it cannot read.
        folder: For the file.
    """
    program = require("dciodvfy")
    path = folder / "judged.dcm"
    path.write_bytes(file)
    done = subprocess.run(
        [str(program), str(path)], capture_output=True, check=False, timeout=60
    )
    output = (done.stderr + done.stdout).decode("utf-8", "replace")
    lines = _UID.sub("<>", output).splitlines()
    # It always names the IOD that it judged by.
    assert any(line and not line.startswith(("Error", "Warning")) for line in lines)
    return {" ".join(line.split()) for line in lines if line.startswith("Error")}


def dcmdump_errors(files: Iterable[bytes], folder: Path) -> str:
    """Return what dcmdump (dcmtk) complains of in files; empty: it reads all of them.

    Args:
        files: All are judged at once.
        folder: For them.
    """
    paths = []
    for number, file in enumerate(files):
        paths.append(folder / f"dumped-{number}.dcm")
        paths[-1].write_bytes(file)
    assert paths
    # Not --quiet, with which it would keep errors to itself.
    command = [require("dcmdump"), "--log-level", "error", *paths]
    done = subprocess.run(
        [str(one) for one in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    found = done.stderr.decode("utf-8", "replace")
    return found or (f"ended with {done.returncode}" if done.returncode else "")


def iod_errors(file: bytes) -> set[str]:
    """Return the errors that dicom-validator finds in a file: where, and which."""
    dataset = dcmread(io.BytesIO(file), stop_before_pixels=True)
    info = standard()
    assert dataset.SOPClassUID in info.iods
    result = IODValidator(
        dataset, info, error_handler=NullValidationResultHandler()
    ).validate()
    return {
        f"{module}: {tag} {error.code.name}"
        for module, errors in result.module_errors.items()
        for tag, error in errors.items()
    }


@cache
def standard() -> DicomInfo:
    """Return PS3.3 as dicom-validator wants it."""
    attributes = _read("module_attribute_map.json")
    modules = {name: _module(listed) for name, listed in attributes.items()}
    by_iod = _read("iod_module_map.json")
    iods = {
        sop_class: {
            "title": iod,
            "modules": {
                one["key"]: {"ref": one["key"], "use": one["usage"]}
                for one in by_iod[iod]
            },
            "group_macros": {},
        }
        for sop_class, iod in _read("sop_class_iod_map.json").items()
    }
    return DicomInfo({}, iods, modules)


def _read(name: str) -> Any:
    return json.loads((files("highdicom") / "_standard" / name).read_text("utf-8"))


def _module(listed: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a module: elements by tag, each with those of its items."""
    made: dict[str, Any] = {}
    for one in listed:
        level = made
        for keyword in one["path"]:
            level = level.setdefault(_key(keyword), {}).setdefault("items", {})
        level.setdefault(_key(one["keyword"]), {}).update(
            name=one["keyword"], type=one["type"]
        )
    return made


def _key(keyword: str) -> str:
    tag = Tag(tag_for_keyword(keyword) or 0)
    return f"({tag.group:04X},{tag.element:04X})"
