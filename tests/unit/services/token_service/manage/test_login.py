"""Who may come in, for how long, and what keeps others out."""

from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from orthanc_share.web.authentication import Authenticator
from orthanc_share.web.problems import RequestError
from tests.support.manage import ANNA, BEN, Person, managed
from tests.support.service import MovableClock, basic
from token_service.manage.sessions import Session

IN = 200
OUT = 303
HOUR = 3600


def cookies(answer: httpx.Response) -> dict[str, str]:
    """Return the cookies that an answer sets, with their attributes."""
    headers = answer.headers.get_list("set-cookie")
    return dict(header.split("=", 1) for header in headers)


def test_a_stranger_is_led_to_the_login_and_back(base: str) -> None:
    person = Person(base)
    answer = person.get("create", study="1.2.3", other="a b/&")
    assert answer.status_code == OUT
    assert answer.headers["location"].startswith("./login?next=create%3Fstudy%3D1.2.3")
    answer = person.http.get(answer.headers["location"])
    assert answer.status_code == 200
    assert 'value="create?study=1.2.3&amp;other=a+b%2F%26"' in answer.text
    person.get(str(answer.url))
    entered = person.post(
        "login", user=ANNA[0], password=ANNA[1], next="create?study=1.2.3"
    )
    assert (entered.status_code, entered.headers["location"]) == (
        303,
        "./create?study=1.2.3",
    )
    assert "1.2.3" in person.get("create?study=1.2.3").text


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "../shares",
        "javascript:alert(1)",
        "shares/../../x",
        "logout",
        "shares/x/link",
        "create?a=b\r\nSet-Cookie: c=d",
        "create?" + "a" * 2000,
    ],
)
def test_a_login_leads_to_nobody_else(base: str, wanted: str) -> None:
    person = Person(base)
    assert person.sign_in(leading=wanted).headers["location"] == "./"


def test_the_cookie_is_for_these_pages_and_for_no_script(base: str) -> None:
    person = Person(base)
    answer = person.sign_in()
    attributes = cookies(answer)["orthanc-share-manage"].split("; ")[1:]
    assert attributes == ["HttpOnly", "SameSite=Strict"]
    assert {cookie.path for cookie in person.http.cookies.jar} == {"/manage"}


@pytest.mark.parametrize("proto", ["https", "HTTPS"])
def test_behind_https_the_cookie_stays_on_https(base: str, proto: str) -> None:
    person = Person(base, x_forwarded_proto=proto)
    form = person.get("login")
    (login,) = cookies(form).items()
    assert login[0] == "__Secure-orthanc-share-login"
    assert login[1].split("; ")[1:] == ["HttpOnly", "SameSite=Strict", "Secure"]


@pytest.mark.parametrize(
    ("user", "password"),
    [
        (ANNA[0], BEN[1]),
        (ANNA[0], ""),
        ("", ""),
        ("nobody", ANNA[1]),
        (f"{ANNA[0]}:{ANNA[1]}", ""),
        ("\ud83d", ANNA[1]),
    ],
)
def test_a_wrong_login_is_told_as_such_and_nothing_more(
    base: str, user: str, password: str
) -> None:
    person = Person(base)
    person.get("login")
    body = {"token": person.token, "user": user, "password": password}
    answer = person.http.post(
        "login",
        content=urlencode(body, errors="replace"),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 403
    assert "The user name or the password is wrong." in answer.text
    assert not password or password not in answer.text
    assert person.get().status_code == OUT


def test_after_five_wrong_logins_there_is_a_pause(
    base: str, clock: MovableClock
) -> None:
    person = Person(base)
    statuses = [person.sign_in(password="wrong").status_code for _ in range(5)]
    assert statuses == [403] * 5
    locked = person.sign_in()
    assert (locked.status_code, locked.headers["retry-after"]) == (429, "60")
    assert "Too many tries" in locked.text
    # Somebody else behind the same address may still sign in.
    assert Person(base).sign_in(*BEN).status_code == 303
    clock.move(60)
    assert person.sign_in().status_code == 303


def test_nobody_tries_many_accounts_from_one_address(
    base: str, clock: MovableClock
) -> None:
    person = Person(base)
    statuses = {person.sign_in(f"user-{n}", "wrong").status_code for n in range(20)}
    assert statuses == {403}
    assert person.sign_in(*BEN).status_code == 429
    clock.move(60)
    assert person.sign_in(*BEN).status_code == 303


def test_nobody_locks_out_another_one(tmp_path: Path) -> None:
    with managed(tmp_path, trusted_proxies="127.0.0.1") as base:
        attacker = Person(base, x_forwarded_for="198.51.100.7")
        for _ in range(6):
            attacker.sign_in(password="wrong")
        assert attacker.sign_in().status_code == 429
        assert Person(base, x_forwarded_for="192.0.2.1").sign_in().status_code == 303


def test_all_addresses_of_one_visitor_wait_together(tmp_path: Path) -> None:
    with managed(tmp_path, trusted_proxies="127.0.0.1") as base:
        for number in range(5):
            address = f"2001:db8:1:2::{number}"
            Person(base, x_forwarded_for=address).sign_in(password="wrong")
        again = Person(base, x_forwarded_for="2001:db8:1:2:3::9")
        assert again.sign_in().status_code == 429
        other = Person(base, x_forwarded_for="2001:db8:1:3::1")
        assert other.sign_in().status_code == 303


def test_a_login_form_of_another_browser_is_not_taken(base: str) -> None:
    person, other = Person(base), Person(base)
    person.get("login")
    other.get("login")
    other.token = person.token
    answer = other.post("login", user=ANNA[0], password=ANNA[1])
    assert (answer.status_code, other.get().status_code) == (403, OUT)
    assert "The form was too old" in answer.text
    fresh = Person(base)
    fresh.token = person.token
    assert fresh.post("login", user=ANNA[0], password=ANNA[1]).status_code == 403


def test_who_is_in_need_not_come_in_again(anna: Person) -> None:
    answer = anna.get("login", next="create")
    assert (answer.status_code, answer.headers["location"]) == (303, "./create")


def test_a_new_login_ends_the_session_before_it(base: str, anna: Person) -> None:
    old = dict(anna.http.cookies)
    form = httpx.get(f"{base}/manage/login")
    anna.token = form.text.split('name="token" value="')[1].split('"')[0]
    anna.http.cookies.update(form.cookies)
    assert anna.post("login", user=BEN[0], password=BEN[1]).status_code == 303
    assert "ben" in anna.get().text
    assert httpx.get(f"{base}/manage/", cookies=old).status_code == OUT


def test_a_logout_ends_the_session_also_for_who_stole_the_cookie(
    base: str, anna: Person
) -> None:
    thief = Person(base)
    thief.http.cookies.update(anna.http.cookies)
    assert thief.get().status_code == IN
    answer = anna.post("logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "login")
    assert "Max-Age=0" in cookies(answer)["orthanc-share-manage"]
    assert thief.get().status_code == OUT
    assert thief.create().status_code == 403


def test_a_logout_needs_the_form_of_the_session(base: str, anna: Person) -> None:
    token, anna.token = anna.token, "0" * 64
    assert anna.post("logout").status_code == 403
    assert anna.get().status_code == IN
    assert Person(base).post("logout", token=token).status_code == 403


def test_a_session_ends_when_it_rests_and_at_the_end_of_the_day(
    anna: Person, clock: MovableClock
) -> None:
    for _ in range(24):
        assert anna.get().status_code == IN
        clock.move(0.5 * HOUR - 1)
    assert anna.get().status_code == IN
    clock.move(30)
    assert anna.get().status_code == OUT


def test_a_session_that_rests_is_over(anna: Person, clock: MovableClock) -> None:
    clock.move(0.5 * HOUR)
    assert anna.get().status_code == OUT


def test_a_changed_password_or_a_removed_user_ends_sessions(tmp_path: Path) -> None:
    with managed(tmp_path) as base:
        anna, ben = Person(base), Person(base)
        anna.sign_in()
        ben.sign_in(*BEN)
    for users in ({ANNA[0]: "a-new-password", BEN[0]: BEN[1]}, {BEN[0]: BEN[1]}):
        with managed(tmp_path, users=users) as base:
            found = [
                httpx.get(f"{base}/manage/", cookies=dict(one.http.cookies)).status_code
                for one in (anna, ben)
            ]
            assert found == [OUT, IN]


def test_a_session_holds_on_every_replica(tmp_path: Path) -> None:
    with managed(tmp_path) as one, managed(tmp_path) as other:
        anna = Person(one)
        anna.sign_in()
        there = Person(other)
        there.http.cookies.update(anna.http.cookies)
        assert there.get().status_code == IN
        there.post("logout")
        assert anna.get().status_code == OUT


def test_the_logins_of_the_api_open_no_page_and_cookies_not_the_api(
    base: str, anna: Person
) -> None:
    headers = {"Authorization": basic(*ANNA)}
    assert httpx.get(f"{base}/manage/", headers=headers).status_code == OUT
    jar = dict(anna.http.cookies)
    assert httpx.get(f"{base}/shares", cookies=jar).status_code == 401


def test_without_users_a_button_is_enough_but_needed(tmp_path: Path) -> None:
    with managed(tmp_path, users=None, allow_unauthenticated=True) as base:
        person = Person(base)
        assert person.get().status_code == OUT
        assert "runs without users" in person.get("login").text
        assert person.post("login").status_code == 303
        assert "anybody" in person.get().text
        assert person.create().status_code == 200


def test_too_many_logins_at_once_are_asked_to_wait(
    base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object) -> str:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        raise RequestError(status, "Too many logins.", {"Retry-After": "1"})

    monkeypatch.setattr(Authenticator, "authenticate", busy)
    answer = Person(base).sign_in()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "Too many logins" in answer.text


def test_a_session_shows_its_key_to_no_log() -> None:
    assert "secret" not in repr(Session("anna", "secret"))
