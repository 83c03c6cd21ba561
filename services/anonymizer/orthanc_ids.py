"""The way from an (outside) Orthanc id to what it names; what is hidden has none."""

from typing import TypeVar

from anonymizer.context import ShareContext
from anonymizer.entries import (
    AnyEntry,
    InstanceEntry,
    SeriesEntry,
    Snapshot,
    StudyEntry,
)
from anonymizer.orthanc import NotFoundError

E = TypeVar("E", StudyEntry, SeriesEntry, InstanceEntry)


async def patient_of(context: ShareContext, orthanc_id: str) -> list[StudyEntry]:
    """Return the studies of a patient, at least one.

    Raises:
        NotFoundError: No study in the share is of that patient.
    """

    def look(snapshot: Snapshot) -> StudyEntry | None:
        return next(iter(snapshot.studies_of_patient(orthanc_id)), None)

    await context.index.find(look)
    return (await context.index.load()).studies_of_patient(orthanc_id)


async def study_of(context: ShareContext, orthanc_id: str) -> StudyEntry:
    """Return the study with this id.

    Raises:
        NotFoundError: It is not in the share.
    """
    return await _found(context, StudyEntry, orthanc_id)


async def series_of(context: ShareContext, orthanc_id: str) -> SeriesEntry:
    """Return the series with this id.

    Raises:
        NotFoundError: It is not in the share, or has nothing that is shown.
    """
    series = await _found(context, SeriesEntry, orthanc_id)
    if not await shown_instances(context, series):
        raise NotFoundError
    return series


async def instance_of(context: ShareContext, orthanc_id: str) -> InstanceEntry:
    """Return the instance with this id.

    Raises:
        NotFoundError: It is not in the share, or hidden.
    """
    instance = await _found(context, InstanceEntry, orthanc_id)
    if context.hides_blocked and (await context.images.of(instance)).is_blocked:
        raise NotFoundError
    return instance


async def shown_instances(
    context: ShareContext, series: SeriesEntry
) -> list[InstanceEntry]:
    """Return the instances of a series but those that are hidden."""
    return await context.images.visible(series, hides_blocked=context.hides_blocked)


async def shown_series(context: ShareContext, study: StudyEntry) -> list[SeriesEntry]:
    """Return the series of a study but those of which everything is hidden."""
    return [one for one in study.series if await shown_instances(context, one)]


async def _found(context: ShareContext, kind: type[E], orthanc_id: str) -> E:
    def look(snapshot: Snapshot) -> E | None:
        entry: AnyEntry | None = snapshot.entry_of_orthanc_id(orthanc_id)
        return entry if isinstance(entry, kind) else None

    return await context.index.find(look)
