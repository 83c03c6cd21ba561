"""`orthanc-share deid-profile`: the conformance table of a profile."""

from pathlib import Path
from typing import Annotated

import typer

from orthanc_share.deidentification.conformance import conformance_table
from orthanc_share.deidentification.profile import Profile
from orthanc_share.domain.errors import ConfigurationError
from suite.commands.output import fail


def deid_profile(
    profile: Annotated[
        Path | None,
        typer.Option(
            help="TOML file of the site; without: the safe default.",
            envvar="DEIDENTIFICATION_PROFILE",
        ),
    ] = None,
) -> None:
    """Print what de-identification does to each attribute (PS3.2 style)."""
    try:
        chosen = Profile() if profile is None else Profile.from_toml(profile)
    except ConfigurationError as error:
        fail(*error.problems)
    typer.echo(conformance_table(chosen), nl=False)
