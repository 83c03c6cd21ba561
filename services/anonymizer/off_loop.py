"""Work that is too long for the event loop, one piece of it at a time.

Threads share the lock of the interpreter: several would be done no sooner, and the
event loop would have to wait for each of them in turn.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_ONE: Final = ThreadPoolExecutor(1, "deidentification")


async def off_loop(
    work: Callable[_Arguments, _Result],
    *arguments: _Arguments.args,
    **_none: _Arguments.kwargs,
) -> _Result:
    """Return what the work returns, when its turn has come.

    Args:
        work: Some ten milliseconds of it; what takes longer has threads of its own.
        arguments: For the work.
    """
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_ONE, work, *arguments)
