"""The server's side of `orthanc_share.web.pieces`: bodies that are not joined."""

from collections.abc import Sequence
from typing import Final

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from orthanc_share.domain.octets import Octets
from orthanc_share.web.pieces import PIECES, SEND

WAITING_MAX: Final = 1_048_576
"""Bytes of one answer that may wait to be sent before its maker has to wait: what a
client leaves while another process has its turn on the processor. With uvicorn's 64 KB,
less than a piece may have, the maker would stand still again and again."""

_END_OF_LINE: Final = b"\r\n"


class PiecesSender:
    """Sends pieces of a body as uvicorn sends a message, but as they are.

    Args:
        cycle: The request.
    """

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._has_begun = False

    async def __call__(self, pieces: Sequence[Octets]) -> None:
        """Send pieces that make one chunk (RFC 9112 7.1)."""
        cycle = self._cycle
        if not self._is_chunked():
            body = b"".join(pieces)
            await cycle.send(
                {"type": "http.response.body", "body": body, "more_body": True}
            )
            return
        if not self._has_begun:
            self._has_begun = True
            cycle.transport.set_write_buffer_limits(high=WAITING_MAX)
        if cycle.flow.write_paused and not cycle.disconnected:
            await cycle.flow.drain()
        length = sum(map(len, pieces))
        if length and not cycle.disconnected:
            chunk = (b"%x\r\n" % length, *pieces, _END_OF_LINE)
            cycle.transport.writelines(chunk)

    def _is_chunked(self) -> bool:
        """Tell whether uvicorn would write a chunk now."""
        cycle = self._cycle
        return (
            cycle.chunked_encoding is True
            and not cycle.response_complete
            and cycle.scope["method"] != "HEAD"
        )


def offer_pieces(cycle: RequestResponseCycle) -> None:
    """Offer the extension to the application that will answer a request."""
    cycle.scope["extensions"] = {PIECES: {SEND: PiecesSender(cycle)}}
