"""`/studies/{id}/ohif-dicom-json`: what OHIF's data source `dicom-json` reads.

The images themselves OHIF gets, file by file, from `/instances/{id}/file`.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from anonymizer.context import ShareContext
from anonymizer.describing import (
    SERIES_TAGS,
    STUDY_TAGS,
    described_series,
    described_study,
)
from anonymizer.entries import InstanceEntry, SeriesEntry, StudyEntry
from anonymizer.examining import Examined
from anonymizer.orthanc_ids import shown_instances, shown_series, study_of
from anonymizer.route import RouteSpec
from anonymizer.streaming import streamed
from orthanc_share.deidentification.dicom_json import Dataset
from orthanc_share.deidentification.dictionary import ENTRIES
from orthanc_share.deidentification.json_values import texts_of, values_of

_encode = msgspec.json.encode


async def study_json(context: ShareContext, request: Request) -> Response:
    """Answer with a study, its series, and the metadata of all their instances."""
    study = await study_of(context, request.path_params["id"])
    pieces = _pieces(context, study)
    return await streamed(pieces, "application/json", context.metrics)


async def _pieces(
    context: ShareContext, study: StudyEntry
) -> AsyncGenerator[bytes, None]:
    """Yield the document, made batch by batch."""
    shown = await shown_series(context, study)
    counts = [len(await shown_instances(context, one)) for one in shown]
    described = [described_series(one, context.policy) for one in shown]
    modalities = {text for one in described for text in _modalities(one)}
    head = _picked(described_study(study, context.policy), STUDY_TAGS) | {
        "NumInstances": sum(counts),
        "Modalities": "\\".join(sorted(modalities)),
    }
    yield b'{"studies":[' + _open(head, "series")
    for number, (series, dataset) in enumerate(zip(shown, described, strict=True)):
        told = _picked(dataset, SERIES_TAGS)
        yield (b"," if number else b"") + _open(told, "instances")
        async for piece in _instances(context, series):
            yield piece
        yield b"]}"
    yield b"]}]}"


async def _instances(
    context: ShareContext, series: SeriesEntry
) -> AsyncGenerator[bytes, None]:
    mark = b""
    async for batch in context.images.examined(series):
        shown = [
            one for one in batch if not (context.hides_blocked and one.facts.is_blocked)
        ]
        if shown:
            yield mark + await asyncio.to_thread(_document, context, shown)
            mark = b","


def _document(context: ShareContext, batch: Iterable[Examined]) -> bytes:
    """Return instances as the elements of a JSON array, without its brackets."""
    told = [
        {"metadata": natural(one.metadata), "url": _address(context, one.entry)}
        for one in batch
    ]
    return _encode(told)[1:-1]


def _address(context: ShareContext, instance: InstanceEntry) -> str:
    # The scheme tells OHIF which of its loaders takes it.
    return f"dicomweb:{context.addresses.root}instances/{instance.id}/file"


def _open(members: Mapping[str, Any], array: str) -> bytes:
    """Return an object that ends within its last member, an array."""
    return _encode({**members, array: []})[:-2]


def _picked(dataset: Dataset, tags: Iterable[str]) -> dict[str, Any]:
    # What stands here goes before what an instance says of itself.
    return natural({tag: dataset[tag] for tag in tags if tag in dataset})


def _modalities(dataset: Dataset) -> Sequence[str]:
    return texts_of(dataset["00080060"]) if "00080060" in dataset else ()


def natural(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return a dataset by keywords, as OHIF has it in its store.

    Single values stand without an array, names as texts; binaries are left out.

    Args:
        dataset: DICOM JSON, de-identified.
    """
    entries = ((ENTRIES.get(int(tag, 16)), one) for tag, one in dataset.items())
    return {
        entry.keyword: _natural_value(one)
        for entry, one in entries
        if entry is not None and entry.keyword and "Value" in one
    }


def _natural_value(attribute: Mapping[str, Any]) -> Any:
    values = values_of(dict(attribute))
    if attribute["vr"] == "SQ":
        return [natural(item) for item in values]
    if attribute["vr"] == "PN":
        values = texts_of(dict(attribute))
    return values[0] if len(values) == 1 else values


ROUTES: Final = (RouteSpec(("GET",), "/studies/{id}/ohif-dicom-json", study_json),)
"""The only one."""
