"""`POST /tokens/validate` and `/shares/validate`: may this token do this?

The plugin asks for every image that its cache does not answer (design 7). Every
question gets 200 and a decision; what cannot be read is denied (protocol 0.2, B.2).
"""

import logging

from starlette.types import Scope

from orthanc_share.domain.access import (
    AccessPolicy,
    AccessRequest,
    Decision,
    Denied,
    Granted,
    Reason,
    decide,
)
from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import InvalidTokenError
from orthanc_share.domain.share import Share
from orthanc_share.registry.watch import Watch
from orthanc_share.tokens.codec import ShareCodec
from orthanc_share.web.metrics import Metrics
from token_service.questions import UnreadableQuestionError, read_question

_log = logging.getLogger(__name__)


class Decisions:
    """Answers the plugin's questions.

    Args:
        codec: Reads tokens.
        policy: What the site allows.
        clock: The present instant.
        metrics: Counts decisions.
        watch: Knows what was revoked, and counts; None: the site keeps no registry.
    """

    def __init__(
        self,
        codec: ShareCodec,
        policy: AccessPolicy,
        clock: Clock,
        metrics: Metrics,
        watch: Watch | None = None,
    ) -> None:
        self._codec = codec
        self._policy = policy
        self._clock = clock
        self._metrics = metrics
        self._watch = watch
        longest = int(policy.validity.total_seconds())
        self._denial = _json("false", longest)
        self._grants = {longest: _json("true", longest)}

    async def __call__(self, scope: Scope, body: bytes) -> bytes:
        """Return the JSON answer to the question in `body`."""
        return self.answer(scope, body)

    def answer(self, scope: Scope, body: bytes) -> bytes:
        """Return the same, at once."""
        decision = self.decide(scope, body)
        self._metrics.count(decision)
        if isinstance(decision, Denied):
            # The plugin keeps denials too: the same question comes back after that.
            return self._denial
        known = self._grants.get(decision.validity)
        return _json("true", decision.validity) if known is None else known

    def decide(self, scope: Scope, body: bytes) -> Decision:
        """Return the decision on the question in `body`."""
        try:
            request, value = read_question(body, scope)
        except UnreadableQuestionError:
            return self._denied(Reason.UNREADABLE_QUESTION, None)
        if not value:
            return self._denied(Reason.NO_TOKEN, None)
        watch = self._watch
        if watch is not None:
            # The images of a study are asked for one after the other: what was found
            # for the first holds for the next, while there are no news.
            seen, register = watch.tallies.seen.get(value), watch.register
            if seen is not None and seen.epoch is register.epoch:
                monotonic = register.monotonic  # quicker than a method's name
                if monotonic() < register.good_until:
                    decision = decide(seen.share, request, self._policy, self._clock())
                    if isinstance(decision, Granted):
                        seen.grants += 1
                        return decision
        return self._decide(value, request)

    def _decide(self, token: str, request: AccessRequest) -> Decision:
        try:
            share = self._codec.read(token)
        except InvalidTokenError:
            return self._denied(Reason.INVALID_TOKEN, None)
        if self._watch is None:
            decision = decide(share, request, self._policy, self._clock())
        else:
            decision = self._decide_kept(token, share, request, self._watch)
        if isinstance(decision, Denied):
            return self._denied(decision.reason, share.id)
        return decision

    def _decide_kept(
        self, token: str, share: Share, request: AccessRequest, watch: Watch
    ) -> Decision:
        """Return the decision on a share as the registry knows it, and count it."""
        known = watch.register.current(share)
        if not isinstance(known, Share):
            watch.tallies.denied(share, known)
            return Denied(known)
        decision = decide(known, request, self._policy, self._clock())
        watch.note(share, decision)
        if isinstance(decision, Granted):
            watch.tallies.remember(token, known, watch.register.epoch)
        return decision

    def _denied(self, reason: Reason, share_id: str | None) -> Denied:
        _log.info("denied", extra={"reason": reason, "share": share_id})
        return Denied(reason)


def _json(granted: str, validity: int) -> bytes:
    return f'{{"granted":{granted},"validity":{validity}}}'.encode()
