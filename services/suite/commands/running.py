"""Runs what a command does, and tells what went wrong in one line each."""

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from orthanc_share.domain.errors import ConfigurationError, OrthancShareError
from orthanc_share.upstream.management import ServiceRefusedError
from suite.commands.output import EXIT_NO, EXIT_NOTHING_DONE, fail

T = TypeVar("T")


@contextmanager
def told() -> Iterator[None]:
    """End the program with a line for what goes wrong in the block, never a trace."""
    try:
        yield
    except ConfigurationError as error:
        fail(*error.problems)
    except ServiceRefusedError as error:
        fail(str(error), status=EXIT_NO if error.is_final else EXIT_NOTHING_DONE)
    except OrthancShareError as error:
        fail(str(error))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns, or end the program with a line."""
    # Libraries and our own services warn in the log of a service; here is none.
    logging.getLogger().addHandler(logging.NullHandler())
    with told():
        return asyncio.run(work)
