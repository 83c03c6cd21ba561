"""What a site lets pass beyond the Basic Profile, and what it does with pixels."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from orthanc_share.deidentification.regions import Region


class Option(StrEnum):
    """Options of PS3.15 E.3 that a site can switch on, by short names of ours."""

    CLEAN_DESCRIPTORS = "clean-descriptors"
    """Descriptions, of which only known words are left."""

    RETAIN_MODIFIED_DATES = "retain-modified-dates"
    """Dates, all moved back by the same whole number of days, another one per share."""

    RETAIN_PATIENT_CHARACTERISTICS = "retain-patient-characteristics"
    """Sex, age (90 years at most), size, weight and the like."""

    RETAIN_DEVICE_IDENTITY = "retain-device-identity"
    """Serial number, station name and other names of the equipment."""

    RETAIN_SAFE_PRIVATE = "retain-safe-private"
    """Private numbers that are known to be safe: those that PET SUV needs."""

    RETAIN_INSTITUTION_IDENTITY = "retain-institution-identity"
    """Name, address and department of the institution."""


class Blocked(StrEnum):
    """What stands in the place of an instance whose pixels may not be shown."""

    PLACEHOLDER = "placeholder"
    """An image that says why."""

    HIDE = "hide"
    """Nothing: the instance does not exist in the share."""


@dataclass(frozen=True, slots=True)
class MaskRule:
    """Where images of one kind have text in their pixels.

    Args:
        manufacturer: Manufacturer (0008,0070), exactly.
        model: Manufacturer's Model Name (0008,1090), exactly.
        rows: Rows (0028,0010).
        columns: Columns (0028,0011).
        regions: What is made black.
    """

    manufacturer: str
    model: str
    rows: int
    columns: int
    regions: tuple[Region, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """A site's profile; without arguments the safe default.

    Args:
        options: Options of PS3.15 that are on.
        blocked: What happens to instances whose pixels may not be shown.
        allowed_modalities: Kinds of images that may be shown although they often have
            text in their pixels: names of `storage_classes.PERMITS`.
        masks: Regions to make black.
        ocr: Whether images are looked at for text before they are shown.
    """

    options: frozenset[Option] = frozenset()
    blocked: Blocked = Blocked.PLACEHOLDER
    allowed_modalities: frozenset[str] = frozenset()
    masks: tuple[MaskRule, ...] = ()
    ocr: bool = False

    @classmethod
    def from_toml(cls, path: Path) -> "Profile":
        """Return the profile in a TOML file.

        Raises:
            ConfigurationError: It cannot be read, or holds mistakes: all are told.
        """
        # Imported here, because that module needs this class.
        from orthanc_share.deidentification.profile_file import load  # noqa: PLC0415

        return load(path)
