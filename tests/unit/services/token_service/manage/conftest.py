"""A site with a page for people, and Anna, who is logged in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.manage import Person, managed
from tests.support.service import MovableClock


@pytest.fixture
def clock() -> MovableClock:
    """Return the clock of the site."""
    return MovableClock()


@pytest.fixture
def base(tmp_path: Path, clock: MovableClock) -> Iterator[str]:
    """Run a site of this test alone, and give its address."""
    with managed(tmp_path, clock) as address:
        yield address


@pytest.fixture
def anna(base: str) -> Person:
    """Return somebody who is logged in."""
    person = Person(base)
    assert person.sign_in().status_code == 303
    return person
