"""Addresses that answers name: our public ones, with outside names only."""

from dataclasses import dataclass

from anonymizer.entries import InstanceEntry, SeriesEntry, StudyEntry

DICOM_WEB = "/dicom-web"
"""Where DICOMweb is, below the service's root."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Makes addresses.

    Args:
        root: Public address of this service, ending with `/`.
    """

    root: str

    def study(self, study: StudyEntry) -> str:
        """Return the RetrieveURL of a study."""
        return f"{self.root}{DICOM_WEB[1:]}/studies/{study.uid}"

    def series(self, series: SeriesEntry) -> str:
        """Return the RetrieveURL of a series."""
        return f"{self.study(series.study)}/series/{series.uid}"

    def instance(self, instance: InstanceEntry) -> str:
        """Return the RetrieveURL of an instance."""
        return f"{self.series(instance.series)}/instances/{instance.uid}"

    def bulk(self, instance: InstanceEntry, tag_path: str) -> str:
        """Return the BulkDataURI of an element of an instance."""
        return f"{self.instance(instance)}/bulk/{tag_path}"
