"""Who is told of openings is asked for and shown, where the site tells anybody."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from tests.support.manage import ANNA, RECEIVER, Person, fill, managed
from tests.support.service import NOW, basic

KEY = SecretStr("hT5wQz8LkP2vRx9JmN4cYb7GdS1fAe6U")  # made up, for tests only
HOSTS = ("ris.example.org", "hooks.example.net:8443")
SITE = "https://log.example.com/canary"
FIELD = 'id="notify" name="notify"'
ROW = "<dt>Told of each opening</dt>"


def signed_in(base: str) -> Person:
    """Return somebody who is logged in."""
    person = Person(base)
    person.sign_in()
    return person


@pytest.fixture
def told(tmp_path: Path) -> Iterator[str]:
    """Run a site that allows two hosts, and give its address."""
    with managed(tmp_path, notify_key=KEY, notify_allowed_hosts=HOSTS) as base:
        yield base


def hint(page: httpx.Response) -> str:
    """Return what is said below the field."""
    return page.text.partition('id="notify-hint">')[2].partition("<")[0]


def who_is_told(person: Person, share_id: str) -> str:
    """Return the row of the details that says it, without its tags and breaks."""
    row = person.get(f"shares/{share_id}").text.partition(ROW)[2]
    row = row.partition("<dd>")[2].partition("</dd>")[0]
    for tag in ("<bdi>", "</bdi>", "<br>"):
        row = row.replace(tag, " ")
    return " ".join(row.split())


def test_the_field_names_the_hosts_that_are_allowed(told: str) -> None:
    page = signed_in(told).get("create")
    assert FIELD in page.text
    assert hint(page) == (
        "Web address (https) that gets a notice when the link is opened."
        " Allowed hosts: ris.example.org, hooks.example.net:8443. Empty: nobody."
    )


@pytest.mark.parametrize("settings", [{}, {"notify_key": KEY, "notify_url": SITE}])
def test_there_is_no_field_where_no_host_is_allowed(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    with managed(tmp_path, **settings) as base:
        assert "notify" not in signed_in(base).get("create").text


def test_an_address_is_kept_and_only_its_host_is_shown(told: str) -> None:
    anna = signed_in(told)
    share_id = anna.created(notify=f"  {RECEIVER} ")
    headers = {"Authorization": basic(*ANNA)}
    kept = httpx.get(f"{told}/shares/{share_id}", headers=headers)
    assert kept.json()["notify-host"] == "ris.example.org"
    assert who_is_told(anna, share_id) == "ris.example.org"
    for path in ("", "/change", "/revoke"):
        assert "canary" not in anna.get(f"shares/{share_id}{path}").text


def test_without_an_address_nobody_is_told(told: str) -> None:
    anna = signed_in(told)
    assert who_is_told(anna, anna.created(notify=" ")) == "Nobody"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("https://elsewhere.example/", "Notices to this host are not allowed here."),
        ("http://ris.example.org/", "Notices go to https only."),
        ("ftp://ris.example.org/", "addresses that start with https://."),
        ("ris.example.org/opened", "addresses that start with https://."),
        ("https://a:b@ris.example.org/", "hold no user or password."),
        ("no address", "The address of notices cannot be read."),
        ("https://ris.example.org/ü", "The address of notices cannot be read."),
        ("https://[ris/", "The address of notices cannot be read."),
        (f"{RECEIVER}{'x' * 2048}", "at most 2048 characters"),
    ],
)
def test_an_address_that_is_refused_is_told_so_at_its_field(
    told: str, address: str, message: str
) -> None:
    anna = signed_in(told)
    answer = anna.create(notify=address)
    assert answer.status_code == 422
    assert '<a href="#notify">Tell each opening to: ' in answer.text
    field = answer.text.partition(FIELD)[2].partition("</div>")[0]
    assert message in field.partition('id="notify-error">')[2]
    assert "ris.example.org, hooks.example.net:8443" in field
    # Who mistyped it need not type it again.
    assert f'value="{address}"' in field
    assert 'aria-describedby="notify-hint notify-error"' in field
    assert 'scope="row"' not in anna.get().text


def test_an_address_where_none_is_allowed_any_more_can_be_emptied(
    tmp_path: Path,
) -> None:
    with managed(tmp_path) as base:
        anna = signed_in(base)
        answer = anna.create(notify=RECEIVER)
        assert answer.status_code == 422
        assert FIELD in answer.text
        assert "This site allows none. Empty: nobody." in hint(answer)
        assert anna.create(notify="").status_code == 200


def test_the_receiver_of_the_site_is_told_besides(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "notify_key": KEY,
        "notify_url": SITE,
        "notify_allowed_hosts": HOSTS,
    }
    with managed(tmp_path, **settings) as base:
        anna = signed_in(base)
        assert hint(anna.get("create")).endswith(
            "The receiver of this site is told anyway."
        )
        both, none = anna.created(notify=RECEIVER), anna.created()
        assert who_is_told(anna, both) == "ris.example.org The receiver of this site"
        assert who_is_told(anna, none) == "The receiver of this site"
        # Told twice it is not.
        assert who_is_told(anna, anna.created(notify=SITE)) == "log.example.com"
        assert "canary" not in anna.get(f"shares/{none}").text


def test_what_is_not_allowed_any_more_is_said(tmp_path: Path) -> None:
    ids = fill(tmp_path, NOW)
    with managed(tmp_path) as base:
        assert who_is_told(signed_in(base), ids["used"]) == (
            "ris.example.org (not any more: this site allows no notices there)"
        )
