"""Who may come in: the token of a request, and what it opens here."""

from collections.abc import Iterator
from http import HTTPStatus

from starlette.requests import Request

from orthanc_share.domain.access import AccessRequest, Decision, Denied, Reason, decide
from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import TokenError
from orthanc_share.domain.share import Flavour, Share
from orthanc_share.registry.watch import Watch
from orthanc_share.web.metrics import Metrics
from orthanc_share.web.problems import RequestError
from orthanc_share.web.sharing import Sharing

TOKEN_NAME = "token"  # noqa: S105 - the name of a header and of a query parameter
"""Header and query parameter with the token, as the viewers send it."""

CHALLENGE = 'Bearer realm="orthanc-share"'
"""The header `WWW-Authenticate`. Source: RFC 6750 3."""

_METHOD = "get"  # whatever the viewer's method is, nothing here changes anything


class AccessDeniedError(TokenError):
    """The token is readable, but opens nothing here; the reason is not told."""

    code = "access_denied"

    def __init__(self) -> None:
        super().__init__("This link does not open anything here.")


class Doorkeeper:
    """Reads the tokens of requests and decides in process, as for the plugin.

    Args:
        sharing: Reads tokens, and knows the servers.
        clock: The present instant.
        metrics: Counts decisions.
        watch: Knows what was revoked, and counts; None: the site keeps no registry.
    """

    def __init__(
        self,
        sharing: Sharing,
        clock: Clock,
        metrics: Metrics,
        watch: Watch | None = None,
    ) -> None:
        self._sharing = sharing
        self._server = sharing.policy.servers.get(Flavour.ANONYMIZED)
        self._clock = clock
        self._metrics = metrics
        self._watch = watch

    def admit(self, token: str) -> Share:
        """Return the share of a token that opens something here, now.

        Raises:
            TokenError: It does not.
        """
        try:
            share = self._sharing.codec.read(token)
        except TokenError:
            self._metrics.count(Denied(Reason.INVALID_TOKEN))
            raise
        decision = self._decide(share)
        self._metrics.count(decision)
        if self._watch is not None:
            self._watch.note(share, decision)
        if isinstance(decision, Denied):
            raise AccessDeniedError
        return share

    def _decide(self, share: Share) -> Decision:
        known = share if self._watch is None else self._watch.register.current(share)
        if not isinstance(known, Share):
            return Denied(known)
        return self._decide_known(known)

    def _decide_known(self, share: Share) -> Decision:
        # A standard share's own server is another one, even where no names are set.
        if share.flavour is not Flavour.ANONYMIZED:
            return Denied(Reason.WRONG_SERVER)
        # What belongs to the share is decided by its index; here it is asked whether
        # the share itself may be used.
        first = share.resources[0]
        request = AccessRequest(
            _METHOD, first.level, first.dicom_uid, first.orthanc_id, self._server
        )
        return decide(share, request, self._sharing.policy, self._clock())


def token_of(request: Request) -> str:
    """Return the one token of a request.

    Raises:
        RequestError: 401 without a token, 400 with two different ones.
    """
    tokens = set(_tokens(request))
    if not tokens:
        raise RequestError(
            HTTPStatus.UNAUTHORIZED,
            "A token is needed.",
            {"WWW-Authenticate": CHALLENGE},
        )
    if len(tokens) > 1:
        raise RequestError(HTTPStatus.BAD_REQUEST, "There are two different tokens.")
    return tokens.pop()


def _tokens(request: Request) -> Iterator[str]:
    yield from filter(None, request.headers.getlist(TOKEN_NAME))
    yield from filter(None, request.query_params.getlist(TOKEN_NAME))
    for field in request.headers.getlist("authorization"):
        scheme, _, credentials = field.partition(" ")
        if scheme.lower() == "bearer" and credentials.strip():
            yield credentials.strip()
