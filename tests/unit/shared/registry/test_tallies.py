"""Counting what was decided."""

from dataclasses import replace

import pytest

from orthanc_share.domain.access import Denied, Granted, Reason
from orthanc_share.registry import tallies as module
from orthanc_share.registry.register import Register
from orthanc_share.registry.tallies import Tallies
from orthanc_share.registry.watch import Watch
from orthanc_share.store.records import Tally, View
from tests.support.service import NOW, MovableClock
from tests.unit.shared.registry.test_register import GRACE, SHARE, VIEW

OTHER = replace(SHARE, id="share-2")


def counting() -> Tallies:
    return Tallies(MovableClock())


def test_grants_and_denials_add_up_per_share() -> None:
    tallies = counting()
    tallies.granted(SHARE)
    tallies.granted(SHARE)
    tallies.denied(SHARE, Reason.EXPIRED)
    tallies.denied(OTHER, Reason.REVOKED)
    counted = {tally.share_id: tally for tally in tallies.take().tallies}
    assert counted == {
        "share-1": Tally("share-1", NOW, 2, 1, ("expired",)),
        "share-2": Tally("share-2", NOW, 0, 1, ("revoked",)),
    }
    assert tallies.take().tallies == []


def test_a_denial_for_want_of_a_registry_says_nothing_about_the_share() -> None:
    tallies = counting()
    tallies.denied(SHARE, Reason.REGISTRY_UNAVAILABLE)
    assert tallies.take().tallies == []


def test_a_view_is_told_once() -> None:
    tallies = counting()
    tallies.granted(VIEW)
    tallies.granted(VIEW)
    assert tallies.take().views == [View("view-1", "share-1", NOW)]
    tallies.granted(VIEW)
    assert tallies.take().views == []


def test_what_could_not_be_written_down_is_counted_again() -> None:
    tallies = counting()
    tallies.granted(VIEW)
    tallies.denied(OTHER, Reason.EXPIRED)
    counted = tallies.take()
    tallies.granted(VIEW)
    tallies.denied(OTHER, Reason.REVOKED)
    tallies.give_back(counted)
    again = tallies.take()
    assert {tally.share_id: tally.granted for tally in again.tallies} == {
        "share-1": 2,
        "share-2": 0,
    }
    (denied,) = (tally for tally in again.tallies if tally.denied)
    assert (denied.denied, denied.reasons) == (2, ("expired", "revoked"))
    assert again.views == [View("view-1", "share-1", NOW)]


def test_memory_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARES_MAX", 1)
    monkeypatch.setattr(module, "VIEWS_REMEMBERED", 1)
    tallies = counting()
    for number in range(3):
        tallies.granted(replace(VIEW, id=f"share-{number}", view_id=f"view-{number}"))
    counted = tallies.take()
    assert [tally.share_id for tally in counted.tallies] == ["share-0"]
    assert len(counted.views) == 3
    for number in range(3):
        tallies.denied(replace(SHARE, id=f"share-{number}"), Reason.EXPIRED)
    (tally,) = tallies.take().tallies
    assert (tally.share_id, tally.reasons) == ("share-0", ("expired",))


def test_the_watch_counts_each_decision_where_it_belongs() -> None:
    watch = Watch(Register(GRACE), counting())
    watch.note(SHARE, Granted(60))
    watch.note(SHARE, Denied(Reason.OTHER_RESOURCE))
    assert watch.tallies.take().tallies == [
        Tally("share-1", NOW, 1, 1, ("other_resource",))
    ]


def test_views_that_cannot_be_reported_do_not_pile_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "VIEWS_MAX", 2)
    tallies = counting()
    for number in range(5):
        tallies.granted(replace(VIEW, view_id=f"view-{number}"))
    counted = tallies.take()
    assert [view.id for view in counted.views] == ["view-0", "view-1"]
    assert [tally.granted for tally in counted.tallies] == [5]
