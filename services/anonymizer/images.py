"""What must be known of each instance before anything of it is shown."""

import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any, Final

from anonymizer.entries import (
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    InstanceEntry,
    SeriesEntry,
)
from anonymizer.examining import (
    Examined,
    ImageFacts,
    Judging,
    dataset_of,
    examine,
    split,
    unreadable,
)
from anonymizer.off_loop import off_loop
from anonymizer.orthanc import DICOM_JSON, NotFoundError, Orthanc, RefusedError
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.domain.errors import UpstreamError
from orthanc_share.upstream.single_flight import Monotonic, SingleFlight

LIFETIME: Final = timedelta(minutes=10)
"""How long what is known of an instance is used: instances hardly ever change."""

KNOWN_MAX: Final = 20_000
"""Instances of a share that are remembered, at about 3 KB each."""

BATCH: Final = 262_144
"""Bytes of metadata that one thread works on at once; about 20 ms."""

_FAILURE_LIFETIME: Final = timedelta(seconds=1)
_FLIGHTS_MAX: Final = 64


def dicom_web_path(entry: InstanceEntry | SeriesEntry) -> str:
    """Return where Orthanc's DICOMweb has an instance or a series."""
    if isinstance(entry, InstanceEntry):
        return f"{dicom_web_path(entry.series)}/instances/{entry.real_uid}"
    return f"dicom-web/studies/{entry.study.real_uid}/series/{entry.real_uid}"


class Images:
    """What is known of the instances of one share.

    Args:
        judging: Policy, gate and addresses of the share.
        orthanc: Is asked.
        monotonic: Clock, in seconds.
    """

    def __init__(
        self,
        judging: Judging,
        orthanc: Orthanc,
        *,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self._judging = judging
        self._orthanc = orthanc
        self._monotonic = monotonic
        self._known: OrderedDict[str, tuple[ImageFacts, float]] = OrderedDict()
        self._worse: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._asked: SingleFlight[str, None] = SingleFlight(
            # The facts themselves are kept here; flights only join equal questions.
            lifetime=timedelta(0),
            failure_lifetime=_FAILURE_LIFETIME,
            max_entries=_FLIGHTS_MAX,
            monotonic=monotonic,
        )

    async def aclose(self) -> None:
        """Give up what is under way."""
        await self._asked.aclose()

    async def of(self, instance: InstanceEntry) -> ImageFacts:
        """Return what is known of an instance.

        Raises:
            UpstreamError: Orthanc does not answer, or not as it should.
        """
        return (await self._of(instance, [instance]))[0]

    async def of_series(self, series: SeriesEntry) -> Sequence[ImageFacts]:
        """Return what is known of all instances of a series, in their order.

        Raises:
            UpstreamError: Orthanc does not answer, or not as it should.
        """
        return await self._of(series, series.instances)

    def block(self, instance: InstanceEntry, reason: str) -> ImageFacts:
        """Block an instance whose file turned out to be worse than its metadata.

        Args:
            instance: The instance.
            reason: Stable code.
        """
        until = self._monotonic() + LIFETIME.total_seconds()
        self._worse[instance.real_id] = reason, until
        while len(self._worse) > KNOWN_MAX:
            self._worse.popitem(last=False)
        blocked = unreadable(self._judging, instance, reason)
        self._learn([blocked])
        return blocked.facts

    def _as_known(self, found: Examined) -> Examined:
        """Return an instance as it is shown, blocked if its file was worse."""
        reason, until = self._worse.get(found.entry.real_id, ("", 0.0))
        if found.facts.is_blocked or self._monotonic() >= until:
            return found
        return unreadable(self._judging, found.entry, reason)

    async def original(self, instance: InstanceEntry) -> dict[str, Any]:
        """Return the metadata of an instance as Orthanc tells them.

        Raises:
            NotFoundError: Orthanc does not have it any more.
            UpstreamError: Orthanc does not answer, or not as it should.
        """
        path = f"{dicom_web_path(instance)}/metadata"
        document = await self._orthanc.raw_json(path, DICOM_JSON)
        for raw in await off_loop(_split, document):
            return await off_loop(_dataset, raw)
        raise NotFoundError

    async def visible(
        self, series: SeriesEntry, *, hides_blocked: bool
    ) -> list[InstanceEntry]:
        """Return the instances of a series that exist outside."""
        if not hides_blocked:
            return series.instances
        facts = await self.of_series(series)
        both = zip(series.instances, facts, strict=True)
        return [entry for entry, known in both if not known.is_blocked]

    async def examined(
        self, entry: SeriesEntry | InstanceEntry
    ) -> AsyncGenerator[Sequence[Examined], None]:
        """Yield all instances of a series, or the one, as they are shown, in batches.

        Raises:
            UpstreamError: Orthanc does not answer, or not as it should.
        """
        document = await self._document(entry)
        if document is None and isinstance(entry, SeriesEntry):
            for instance in entry.instances:
                told = await self._document(instance)
                async for batch in self._batches([instance], told):
                    yield batch
            return
        entries = entry.instances if isinstance(entry, SeriesEntry) else [entry]
        async for batch in self._batches(entries, document):
            yield batch

    async def _document(self, entry: SeriesEntry | InstanceEntry) -> bytes | None:
        """Return the metadata as Orthanc tells them; None: it does not tell.

        Of a part of a series it is not asked as if it were the whole; and for one
        instance that it cannot read it tells of none of a series.
        """
        if isinstance(entry, SeriesEntry) and not entry.is_whole:
            return None
        path = f"{dicom_web_path(entry)}/metadata"
        try:
            return await self._orthanc.raw_json(path, DICOM_JSON)
        except (NotFoundError, RefusedError):
            return None

    async def _of(
        self, asked: SeriesEntry | InstanceEntry, wanted: Sequence[InstanceEntry]
    ) -> list[ImageFacts]:
        found = self._remembered(wanted)
        if found is None:
            await self._asked.get(asked.real_id, lambda: self._learn_all(asked))
            found = self._remembered(wanted)
        if found is None:  # more instances than are remembered
            raise UpstreamError("Orthanc has more images than can be looked at.")
        return found

    def _remembered(self, wanted: Sequence[InstanceEntry]) -> list[ImageFacts] | None:
        now = self._monotonic()
        found = [self._known.get(entry.real_id) for entry in wanted]
        known = [one[0] for one in found if one is not None and now < one[1]]
        return known if len(known) == len(wanted) else None

    async def _learn_all(self, asked: SeriesEntry | InstanceEntry) -> None:
        async with aclosing(self.examined(asked)) as batches:
            async for _ in batches:
                pass

    def _learn(self, batch: Iterable[Examined]) -> None:
        until = self._monotonic() + LIFETIME.total_seconds()
        for one in batch:
            self._known[one.entry.real_id] = (one.facts, until)
            self._known.move_to_end(one.entry.real_id)
        while len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)

    async def _batches(
        self, entries: Iterable[InstanceEntry], document: bytes | None
    ) -> AsyncGenerator[Sequence[Examined], None]:
        missing = _Missing(entries)
        told = await off_loop(_split, b"[]" if document is None else document)
        for raws in _batched(told):
            found = await off_loop(self._examine, raws, missing)
            batch = [self._as_known(one) for one in found]
            self._learn(batch)
            yield batch
        # What is in the share keeps its place, even if Orthanc cannot read it.
        rest = [unreadable(self._judging, one) for one in missing.rest()]
        self._learn(rest)
        yield rest

    def _examine(self, raws: Iterable[Any], missing: "_Missing") -> list[Examined]:
        examined = []
        for raw in raws:
            try:
                dataset = dataset_of(raw)
            except DeidentificationError:
                continue  # whichever it is, it is missing in the end
            entry = missing.take(dataset)
            if entry is not None:
                examined.append(examine(self._judging, entry, dataset))
        return examined


class _Missing:
    """The instances of a series that have not come yet.

    Args:
        instances: Those that are in the share; others do not exist.
    """

    def __init__(self, instances: Iterable[InstanceEntry]) -> None:
        self._by_uid = {entry.real_uid: entry for entry in instances}

    def take(self, dataset: Mapping[str, Any]) -> InstanceEntry | None:
        """Return the instance that a dataset is of; None: it is of none, or again."""
        entry = self._by_uid.get(_uid(dataset, SOP_INSTANCE_UID))
        if entry is None:
            return None
        series = entry.series
        is_its = (
            _uid(dataset, SERIES_INSTANCE_UID) == series.real_uid
            and _uid(dataset, STUDY_INSTANCE_UID) == series.study.real_uid
        )
        return self._by_uid.pop(entry.real_uid) if is_its else None

    def rest(self) -> list[InstanceEntry]:
        """Return those that never came."""
        return list(self._by_uid.values())


def _uid(dataset: Mapping[str, Any], name: str) -> str:
    element = dataset.get(name)
    values = element.get("Value") if isinstance(element, dict) else None
    if isinstance(values, list) and values and isinstance(values[0], str):
        return values[0].rstrip(" \0")
    return ""


def _split(document: bytes) -> Sequence[Any]:
    try:
        return split(document)
    except DeidentificationError:
        raise UpstreamError("Orthanc answered with unreadable JSON.") from None


def _dataset(raw: Any) -> dict[str, Any]:
    try:
        return dataset_of(raw)
    except DeidentificationError:
        raise UpstreamError("Orthanc answered with unreadable JSON.") from None


def _batched(raws: Iterable[Any]) -> Iterator[list[Any]]:
    batch, size = [], 0
    for raw in raws:
        batch.append(raw)
        size += len(memoryview(raw))
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
