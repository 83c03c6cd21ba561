"""Who calls."""

import asyncio
import base64
from collections.abc import Mapping
from http import HTTPStatus

import argon2
import pytest
from pydantic import SecretStr
from typing_extensions import override

from orthanc_share.web import authentication
from orthanc_share.web.authentication import (
    ANYBODY,
    CHALLENGE,
    REMEMBERED_PER_USER,
    WAITING_HASHES_PER_CLIENT,
    Authenticator,
    has_broken_argon2_hash,
)
from orthanc_share.web.problems import RequestError
from tests.support.logs import CollectedLog

pytestmark = pytest.mark.anyio

QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HASH = QUICK.hash("hashed-pässword")
USERS = {"jane": "plain-pässword", "joe": HASH, "joan": ""}


def make(users: Mapping[str, str] | None = None) -> Authenticator:
    given = USERS if users is None else users
    return Authenticator({name: SecretStr(text) for name, text in given.items()})


def basic(name: str, password: str, scheme: str = "Basic ") -> bytes:
    credentials = base64.b64encode(f"{name}:{password}".encode())
    return scheme.encode() + credentials


async def refusal(authenticator: Authenticator, header: bytes | None) -> RequestError:
    with pytest.raises(RequestError) as caught:
        await authenticator.authenticate(header)
    return caught.value


@pytest.mark.parametrize(
    ("name", "password"),
    [("jane", "plain-pässword"), ("joe", "hashed-pässword")],
)
async def test_the_right_password_is_accepted_and_remembered(
    name: str, password: str
) -> None:
    authenticator, header = make(), basic(name, password)
    assert authenticator.known(header) is None
    assert await authenticator.authenticate(header) == name
    assert authenticator.known(header) == name
    assert await authenticator.authenticate(header) == name


@pytest.mark.parametrize("scheme", ["basic ", "BASIC ", "Basic   "])
async def test_the_scheme_may_be_written_in_any_case(scheme: str) -> None:
    header = basic("jane", "plain-pässword", scheme)
    assert await make().authenticate(header) == "jane"


@pytest.mark.parametrize("users", [USERS, {"jane": "plain-pässword"}, {}])
@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"Basic",
        b"Basic ",
        b"Basic %%%",
        b"Basic amFuZQ",  # jane, padding missing
        b"Basic amFuZQ==",  # no colon
        b"Basic " + base64.b64encode(b"jane:\xff"),
        b"Bearer " + base64.b64encode("jane:plain-pässword".encode()),
        base64.b64encode("jane:plain-pässword".encode()),
        basic("jane", ""),
        basic("jane", "plain-passwort"),
        basic("jane", "plain-pässword "),
        basic("Jane", "plain-pässword"),
        basic("", ""),
        basic("", "plain-pässword"),
        basic("nobody", ""),
        basic("nobody", "plain-pässword"),
        basic("joe", HASH),  # the hash is no password
        basic("jane", "plain-pässword") + b"\xff",
        basic("jane", "plain-pässword") + b"=",
    ],
)
async def test_anything_else_is_401_with_a_challenge(
    users: dict[str, str], header: bytes | None, json_log: CollectedLog
) -> None:
    authenticator = make(users)
    error = await refusal(authenticator, header)
    assert error.status is HTTPStatus.UNAUTHORIZED
    assert error.headers == {"WWW-Authenticate": CHALLENGE}
    assert "jane" not in str(error)
    assert header is None or authenticator.known(header) is None
    assert "jane" not in json_log.text


async def test_an_unknown_user_takes_as_long_as_one_with_a_hash() -> None:
    # Both have a hash checked: it is not told by the time which names exist.
    checked: list[str] = []

    class Watched(Authenticator):
        @override
        def _verify(self, expected: str, password: str) -> bool:
            checked.append(password)
            return super()._verify(expected, password)

    authenticator = Watched({"joe": SecretStr(HASH)})
    await refusal(authenticator, basic("nobody", "wrong-1"))
    await refusal(authenticator, basic("joe", "wrong-2"))
    assert checked == ["wrong-1", "wrong-2"]


async def test_a_broken_hash_opens_nothing() -> None:
    broken = HASH[:40]
    authenticator = make({"joe": broken})
    for password in ("hashed-pässword", broken, ""):
        await refusal(authenticator, basic("joe", password))
    assert has_broken_argon2_hash(broken)
    assert not has_broken_argon2_hash(HASH)
    assert not has_broken_argon2_hash("plain-pässword")


async def test_without_users_everybody_may_call() -> None:
    authenticator = Authenticator(None)
    for header in (None, b"nonsense"):
        assert authenticator.known(header) == ANYBODY
        assert await authenticator.authenticate(header) == ANYBODY


async def test_with_an_empty_list_nobody_may() -> None:
    await refusal(make({}), basic("", ""))


async def test_memory_is_bounded_and_nobody_pushes_out_another_user() -> None:
    authenticator = make({"jane": "pw", "joan": "pw"})
    await authenticator.authenticate(basic("joan", "pw"))
    spellings = [basic("jane", "pw", "Basic" + " " * n) for n in range(1, 7)]
    for spelling in (*spellings, spellings[-1]):
        await authenticator.authenticate(spelling)
    assert authenticator.known(basic("joan", "pw")) == "joan"
    known = [authenticator.known(spelling) for spelling in spellings]
    assert known == [None] * 2 + ["jane"] * REMEMBERED_PER_USER
    assert len(authenticator._known) == REMEMBERED_PER_USER + 1


async def test_the_same_login_twice_at_once_is_remembered_once() -> None:
    authenticator, header = make(), basic("joe", "hashed-pässword")
    both = (authenticator.authenticate(header), authenticator.authenticate(header))
    assert list(await asyncio.gather(*both)) == ["joe", "joe"]
    assert len(authenticator._known) == 1


async def test_what_is_remembered_is_no_password() -> None:
    authenticator = make()
    header = basic("jane", "plain-pässword")
    await authenticator.authenticate(header)
    remembered = b"".join(authenticator._known)
    assert header not in remembered
    assert "plain-pässword".encode() not in remembered
    assert "plain-pässword" not in repr(vars(authenticator))


async def test_a_flood_of_logins_is_turned_away_and_does_not_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(authentication, "WAITING_HASHES_MAX", 2)
    authenticator = make()
    asked = [
        authenticator.authenticate(basic("joe", f"wrong-{number}"))
        for number in range(5)
    ]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    statuses = [answer.status for answer in answers if isinstance(answer, RequestError)]
    assert sorted(statuses) == [401, 401, 503, 503, 503]
    full = next(a for a in answers if getattr(a, "status", 0) == 503)
    assert isinstance(full, RequestError)
    assert full.headers == {"Retry-After": "1"}
    assert await authenticator.authenticate(basic("joe", "hashed-pässword")) == "joe"


async def test_a_flood_from_one_address_leaves_room_for_others() -> None:
    authenticator = make()
    flood = [
        authenticator.authenticate(basic("joe", f"wrong-{number}"), "192.0.2.1")
        for number in range(WAITING_HASHES_PER_CLIENT + 2)
    ]
    good = authenticator.authenticate(basic("joe", "hashed-pässword"), "192.0.2.2")
    *refused, name = await asyncio.gather(*flood, good, return_exceptions=True)
    statuses = [error.status for error in refused if isinstance(error, RequestError)]
    assert sorted(statuses) == [401] * WAITING_HASHES_PER_CLIENT + [503] * 2
    assert name == "joe"
    assert not authenticator._waiting


@pytest.mark.parametrize("name", ["jane", "joe", "nobody"])
async def test_a_wrong_password_costs_a_hash_whoever_the_user_is(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = []

    def verify(_self: Authenticator, expected: str, _password: str) -> bool:
        checked.append(expected)
        return False

    monkeypatch.setattr(Authenticator, "_verify", verify)
    await refusal(make(), basic(name, "wrong"))
    assert len(checked) == 1
    assert checked[0].startswith("$argon2")
