"""`orthanc-share why`: why a token opens something, or does not."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import typer

from orthanc_share.domain.access import AccessRequest, Denied, Granted, Reason
from orthanc_share.domain.clock import Clock, utc_now
from orthanc_share.domain.errors import ConfigurationError, InvalidTokenError
from orthanc_share.domain.resource import Level, is_orthanc_id
from orthanc_share.domain.share import Share
from orthanc_share.registry.following import Follower
from orthanc_share.registry.register import Register
from orthanc_share.store.errors import ShareNotFoundError, StoreUnavailableError
from orthanc_share.store.records import StoredShare
from orthanc_share.store.store import Store
from orthanc_share.web.sharing import build_sharing
from orthanc_share.web.startup import examine
from suite.commands.database import opened
from suite.commands.explaining import Explanation, Rule, denied, explain
from suite.commands.output import (
    EXIT_NO,
    print_json,
    print_table,
    say,
    shown,
)
from suite.commands.running import run, told
from suite.inspection import token_in
from token_service.registering import longest_validity
from token_service.settings import TokenServiceSettings

STANDARD_INPUT = "-"
"""Stands for standard input where the token is expected."""

_CURRENT = timedelta(days=1)  # for how long what was just read counts: we end before
_NOT_KEPT = "it does not know the share, which is older than it, or was swept"
_NOT_REACHED = "its database cannot be reached; after REGISTRY_GRACE all is denied"


@dataclass(frozen=True, slots=True)
class Known:
    """What the registry makes of a share.

    Args:
        share: The share as it is now.
        reason: Why it opens nothing; None: the token is judged.
        text: For a person.
    """

    share: Share
    reason: Reason | None
    text: str


def why(
    token: Annotated[
        str, typer.Argument(help="A token or a link; - reads standard input.")
    ] = STANDARD_INPUT,
    *,
    study: Annotated[str, typer.Option(help="UID or Orthanc id of what is asked for.")],
    orthanc_id: Annotated[
        str | None, typer.Option(help="Its Orthanc id, beside a UID.")
    ] = None,
    server_id: Annotated[
        str | None, typer.Option(help="WebServiceIdentifier of the Orthanc that asks.")
    ] = None,
    method: Annotated[str, typer.Option(help="Method of the browser's request.")] = (
        "get"
    ),
    level: Annotated[
        Level, typer.Option(help="Level of what is asked for.")
    ] = Level.STUDY,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Explain rule by rule, as token-service sees it, whether a token opens a study.

    The token is not shown. Others on the machine can see a command line: prefer
    standard input. Exit status 1: it is denied.
    """
    text = sys.stdin.read() if token == STANDARD_INPUT else token
    with told():
        settings, problems = examine(TokenServiceSettings)
        if problems:
            raise ConfigurationError(problems)
    by_uid = None if is_orthanc_id(study) else study
    request = AccessRequest(
        method=method.lower(),
        level=level,
        dicom_uid=by_uid,
        orthanc_id=orthanc_id if by_uid else study,
        server_id=server_id,
    )
    share_id, found = run(explained(settings, text.strip(), request, utc_now))
    _print(share_id, found, as_json=as_json)
    if isinstance(found.decision, Denied):
        raise typer.Exit(EXIT_NO)


async def explained(
    settings: TokenServiceSettings, text: str, request: AccessRequest, clock: Clock
) -> tuple[str | None, Explanation]:
    """Return the share's id, if the token can be read, and why it opens or does not.

    Args:
        settings: Of token-service.
        text: The token or the link.
        request: What is asked for.
        clock: The present instant.

    Raises:
        ConfigurationError: A key cannot be used.
    """
    sharing = build_sharing(settings, validity=longest_validity(settings))
    try:
        token = token_in(text)
        if not token:
            reason = "there is no token in it; of a short link see `share show`"
            return None, denied("token", Reason.NO_TOKEN, reason)
        share = sharing.codec.read(token)
    except InvalidTokenError as error:
        hint = "compare the keys with those of the service that made it"
        return None, denied("token", Reason.INVALID_TOKEN, f"{error} {hint}")
    known = await _known(settings, share, clock)
    policy = settings.access_policy(sharing.policy)
    own = explain(known.share, request, policy, clock())
    decision = own.decision if known.reason is None else Denied(known.reason)
    rules = (
        Rule("token", None, "signed with a key of ours"),
        Rule("registry", known.reason, known.text),
        *own.rules,
    )
    return share.id, Explanation(decision, rules)


async def _known(settings: TokenServiceSettings, share: Share, clock: Clock) -> Known:
    if not settings.registry:
        return Known(share, None, "none (REGISTRY=off)")
    try:
        async with opened(settings) as store:
            return await _ask(store, share, clock)
    except ConfigurationError as error:
        return Known(share, None, f"not asked: {error}")
    except StoreUnavailableError:
        return Known(share, Reason.REGISTRY_UNAVAILABLE, _NOT_REACHED)


async def _ask(store: Store, share: Share, clock: Clock) -> Known:
    """Learn what token-service learns, in the same way."""

    async def news(cursor: int) -> Any:
        return await store.revoked_since(cursor, now=clock())

    register = Register(_CURRENT)
    await Follower(register, news).look()
    current = register.current(share)
    try:
        kept = await store.shares.get(share.id)
    except ShareNotFoundError:
        text = _NOT_KEPT
    else:
        text = _status(kept, clock)
    if isinstance(current, Reason):
        return Known(share, current, text)
    return Known(current, None, text)


def _status(kept: StoredShare, clock: Clock) -> str:
    text = f"the share is {kept.status(clock())}"
    if kept.revocation is not None:
        because = shown(kept.revocation.reason)
        by = shown(kept.revocation.by)
        text += f" since {kept.revocation.at.isoformat()} by {by}, reason: {because}"
    if kept.openings_left is not None:
        text += f", {kept.openings_left} openings left"
    return text


def _print(share_id: str | None, found: Explanation, *, as_json: bool) -> None:
    if as_json:
        print_json({"share": share_id, **_verdict(found), "rules": _rules(found.rules)})
        return
    rows = [
        ("ok" if rule.refusal is None else "no", rule.name, shown(rule.text))
        for rule in found.rules
    ]
    print_table(("", "rule", "found"), rows)
    say("")
    if isinstance(found.decision, Granted):
        say(f"Granted for {found.decision.validity} s: share {share_id}.")
    else:
        say(f"Denied: {found.decision.reason}.")


def _verdict(found: Explanation) -> dict[str, Any]:
    if isinstance(found.decision, Granted):
        return {"granted": True, "validity": found.decision.validity, "reason": None}
    return {"granted": False, "validity": None, "reason": found.decision.reason}


def _rules(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    return [
        {
            "rule": rule.name,
            "holds": rule.refusal is None,
            "reason": rule.refusal,
            "text": rule.text,
        }
        for rule in rules
    ]
