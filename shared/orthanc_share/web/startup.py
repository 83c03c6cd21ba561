"""The start of a service: all settings checked, then the log turned on."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from orthanc_share.config.settings import SharingSettings
from orthanc_share.config.sources import misspelt, variable_in, variables_in
from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.web.logging import configure_logging
from orthanc_share.web.sharing import examine_keys

S = TypeVar("S", bound=SharingSettings)

_log = logging.getLogger(__name__)


def examine(
    kind: type[S], environ: Mapping[str, str] | None = None
) -> tuple[S, Sequence[str]]:
    """Return the settings of this process and every mistake in them, keys included.

    Args:
        kind: The service's settings.
        environ: Environment variables; None: those of the process.
    """
    settings, problems = kind.examine(environ)
    _, _, key_problems = examine_keys(settings)
    named = {variable_in(problem) for problem in problems}
    # A key that could not be read is not missing as well.
    fresh = [line for line in key_problems if named.isdisjoint(variables_in(line))]
    return settings, [*problems, *fresh]


def start(kind: type[S]) -> S:
    """Return the settings of this process, and log from now on as they say.

    Raises:
        ConfigurationError: With every mistake, one line each.
    """
    settings, problems = examine(kind)
    announce([settings], problems)
    return settings


def announce(services: Sequence[SharingSettings], problems: Iterable[str]) -> None:
    """Refuse wrong settings, or log from now on as they say, and each warning once.

    Args:
        services: Settings of the services of this process, one or more.
        problems: Every mistake in them.

    Raises:
        ConfigurationError: There is a mistake.
    """
    known = [name for settings in services for name in settings.variables()]
    unknown = list(misspelt(known))
    lines = list(dict.fromkeys(problems))
    if lines:
        raise ConfigurationError([*lines, *unknown])
    configure_logging(services[0].log_level)
    warnings = (line for settings in services for line in settings.warnings())
    for warning in dict.fromkeys((*warnings, *unknown)):
        _log.warning(warning)
