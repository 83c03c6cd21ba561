"""Settings of the anonymizer."""

from typing import Annotated

from pydantic import Field

from orthanc_share.config.settings import SharingSettings
from orthanc_share.config.values import Root


class AnonymizerSettings(SharingSettings):
    """What the anonymizer takes."""

    orthanc_root: Annotated[
        Root | None,
        Field(description="Address of Orthanc behind the anonymizer; not used yet"),
    ] = None
