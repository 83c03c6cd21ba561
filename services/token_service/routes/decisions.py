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
        try:
            share = self._codec.read(value)
        except InvalidTokenError:
            return self._denied(Reason.INVALID_TOKEN, None)
        return self._decide(share, request)

    def _decide(self, share: Share, request: AccessRequest) -> Decision:
        watch = self._watch
        if watch is None:
            decision = decide(share, request, self._policy, self._clock())
            if isinstance(decision, Denied):
                return self._denied(decision.reason, share.id)
            return decision
        # Told and counted without a call where it can be: each counts in every image.
        register, known = watch.register, share
        if share.id in register.news or register.monotonic() >= register.good_until:
            current = register.current(share)
            if not isinstance(current, Share):
                watch.tallies.denied(share, current)
                return self._denied(current, share.id)
            known = current
        decision = decide(known, request, self._policy, self._clock())
        if isinstance(decision, Denied):
            watch.tallies.denied(share, decision.reason)
            return self._denied(decision.reason, share.id)
        grants = watch.tallies.grants
        if share.id in grants and share.view_id is None:
            grants[share.id] += 1
        else:
            watch.tallies.granted(share)
        return decision

    def _denied(self, reason: Reason, share_id: str | None) -> Denied:
        _log.info("denied", extra={"reason": reason, "share": share_id})
        return Denied(reason)


def _json(granted: str, validity: int) -> bytes:
    return f'{{"granted":{granted},"validity":{validity}}}'.encode()
