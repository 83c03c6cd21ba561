"""What is in a share: the way back from outside names, and the limit of access.

The list is asked of Orthanc, kept for a minute, and asked again once when something
is not in it that may have come since. What is in no list does not exist here, whatever
Orthanc has.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar

from anonymizer.entries import (
    AnyEntry,
    InstanceEntry,
    Pseudonyms,
    SeriesEntry,
    Snapshot,
    StudyDocuments,
    StudyEntry,
    build_study,
)
from anonymizer.off_loop import off_loop
from anonymizer.orthanc import NotFoundError, Orthanc
from orthanc_share.domain.errors import UpstreamError
from orthanc_share.domain.resource import Level, Resource, is_orthanc_id
from orthanc_share.upstream.single_flight import Monotonic, SingleFlight

LIFETIME: Final = timedelta(seconds=60)
"""How long a list is used; what came to the study since is found by `REFRESH_AFTER`."""

REFRESH_AFTER: Final = timedelta(seconds=5)
"""How old a list must be for a miss to ask for a newer one: misses cost nothing."""

FAILURE_LIFETIME: Final = timedelta(seconds=1)
"""How long a failure of Orthanc is repeated without asking."""

_WORDS: Final = {
    Level.STUDY: ("studies", "Study"),
    Level.SERIES: ("series", "Series"),
    Level.INSTANCE: ("instances", "Instance"),
}
_UNREADABLE: Final = (LookupError, TypeError, ValueError, AttributeError)

E = TypeVar("E", StudyEntry, SeriesEntry, InstanceEntry)


@dataclass(frozen=True, slots=True)
class _Loaded:
    snapshot: Snapshot
    at: float
    generation: int


class ShareIndex:
    """The index of one share.

    Args:
        resources: What is shared.
        pseudonyms: Of the share.
        orthanc: Is asked.
        monotonic: Clock, in seconds.
    """

    def __init__(
        self,
        resources: Sequence[Resource],
        pseudonyms: Pseudonyms,
        orthanc: Orthanc,
        *,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self._resources = resources
        self._pseudonyms = pseudonyms
        self._orthanc = orthanc
        self._monotonic = monotonic
        self._generation = 0
        self._lists: SingleFlight[int, _Loaded] = SingleFlight(
            lifetime=LIFETIME,
            failure_lifetime=FAILURE_LIFETIME,
            max_entries=1,
            monotonic=monotonic,
        )

    async def aclose(self) -> None:
        """Give up what is under way."""
        await self._lists.aclose()

    async def load(self) -> Snapshot:
        """Return what the share holds.

        Raises:
            UpstreamError: Orthanc does not answer, or not as it should.
        """
        return (await self._load()).snapshot

    async def find(self, look: Callable[[Snapshot], E | None]) -> E:
        """Return what `look` finds, if need be in a list that is asked for again.

        Raises:
            NotFoundError: It is in no list.
            UpstreamError: Orthanc does not answer, or not as it should.
        """
        loaded = await self._load()
        found = look(loaded.snapshot)
        if found is None and self._is_old(loaded):
            # Whoever comes first asks; the others find its question under way.
            if loaded.generation == self._generation:
                self._generation += 1
            found = look((await self._load()).snapshot)
        if found is None:
            raise NotFoundError
        return found

    async def study(self, uid: str) -> StudyEntry:
        """Return the study with this (outside) UID.

        Raises:
            NotFoundError: It is not in the share.
        """
        return await self.find(lambda one: _only(StudyEntry, one.entry_at(uid)))

    async def series(self, study: str, uid: str) -> SeriesEntry:
        """Return the series of a study by their (outside) UIDs.

        Raises:
            NotFoundError: It is not in the share.
        """
        return await self.find(lambda one: _only(SeriesEntry, one.entry_at(study, uid)))

    async def instance(self, study: str, series: str, uid: str) -> InstanceEntry:
        """Return the instance of a series by their (outside) UIDs.

        Raises:
            NotFoundError: It is not in the share.
        """
        return await self.find(
            lambda one: _only(InstanceEntry, one.entry_at(study, series, uid))
        )

    async def _load(self) -> _Loaded:
        return await self._lists.get(self._generation, self._ask)

    def _is_old(self, loaded: _Loaded) -> bool:
        age = self._monotonic() - loaded.at
        return age >= REFRESH_AFTER.total_seconds()

    async def _ask(self) -> _Loaded:
        at, generation = self._monotonic(), self._generation
        parts = await asyncio.gather(*map(self._part, self._resources))
        try:
            # Thousands of names outside take longer than the event loop may wait.
            snapshot = await off_loop(self._snapshot, parts)
        except _UNREADABLE:
            raise _unexpected() from None
        return _Loaded(snapshot, at, generation)

    def _snapshot(self, parts: Iterable[StudyDocuments | None]) -> Snapshot:
        return Snapshot(self._studies(parts))

    def _studies(self, parts: Iterable[StudyDocuments | None]) -> list[StudyEntry]:
        """Return the studies of all parts; two parts of one study become one."""
        found: dict[str, StudyDocuments] = {}
        for part in filter(None, parts):
            real_id = part.study["ID"]
            found[real_id] = found[real_id] + part if real_id in found else part
        return [
            build_study(documents, self._pseudonyms) for documents in found.values()
        ]

    async def _part(self, resource: Resource) -> StudyDocuments | None:
        """Return the study, or the part of it, that a resource stands for."""
        try:
            real_id = resource.orthanc_id or await self._look_up(resource)
            documents = await _documents(self._orthanc, resource.level, real_id)
            return documents if _agrees(resource, documents) else None
        except NotFoundError:
            return None
        except _UNREADABLE:
            raise _unexpected() from None

    async def _look_up(self, resource: Resource) -> str:
        """Return the Orthanc id of a resource of which only the DICOM id is known."""
        uid, kind = resource.dicom_uid or "", _WORDS[resource.level][1]
        found = [one for one in await self._orthanc.lookup(uid) if one["Type"] == kind]
        # One UID in two patients' studies: which of them was shared is not known.
        if len(found) != 1:
            raise NotFoundError
        return str(found[0]["ID"])


async def _documents(orthanc: Orthanc, level: Level, real_id: str) -> StudyDocuments:
    if not is_orthanc_id(real_id):
        raise ValueError
    base = f"{_WORDS[level][0]}/{real_id}"
    paths = {
        Level.STUDY: (base, f"{base}/series", f"{base}/instances"),
        Level.SERIES: (f"{base}/study", base, f"{base}/instances"),
        Level.INSTANCE: (f"{base}/study", f"{base}/series", base),
    }[level]
    study, series, instances = await _gather(
        *(orthanc.json(f"{path}?expand&short") for path in paths)
    )
    series = _listed(series)
    is_part = level is Level.INSTANCE
    whole = frozenset() if is_part else frozenset(one["ID"] for one in series)
    return StudyDocuments(study, series, _listed(instances), whole)


async def _gather(*questions: Coroutine[Any, Any, Any]) -> list[Any]:
    """Ask at once; where one fails, the others are given up."""
    tasks = [asyncio.create_task(question) for question in questions]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def _listed(document: Any) -> list[Any]:
    return document if isinstance(document, list) else [document]


def _agrees(resource: Resource, documents: StudyDocuments) -> bool:
    """Tell whether both ids of a resource belong to the same thing."""
    several, name = {
        Level.STUDY: ([documents.study], "0020,000d"),
        Level.SERIES: (documents.series, "0020,000e"),
        Level.INSTANCE: (documents.instances, "0008,0018"),
    }[resource.level]
    (told,) = several
    return resource.dicom_uid in {None, told["MainDicomTags"][name]}


def _only(kind: type[E], entry: AnyEntry | None) -> E | None:
    return entry if isinstance(entry, kind) else None


def _unexpected() -> UpstreamError:
    return UpstreamError("Orthanc answered with something unexpected.")
