"""The policy of one share."""

import re
from datetime import date
from io import BytesIO

import pytest
from hypothesis import assume, given, strategies as st
from pydicom import config
from pydicom.dataset import Dataset
from pydicom.filereader import dcmread
from pydicom.valuerep import validate_value

from orthanc_share.deidentification.actions import Action, Element, Rules
from orthanc_share.deidentification.dictionary import ENTRIES
from orthanc_share.deidentification.identifiers import SharePseudonyms
from orthanc_share.deidentification.policy import (
    SHIFT_MAX,
    SHIFT_MIN,
    SharePolicy,
    build_policy,
)
from orthanc_share.deidentification.profile import Option, Profile
from orthanc_share.deidentification.rulings import rulings
from tests.support.settings import DEIDENTIFICATION_KEY

KEY = DEIDENTIFICATION_KEY.encode()
STRICT = Profile()
GENEROUS = Profile(options=frozenset(Option))
MODALITY, DESCRIPTION, NUMBER = 0x00080060, 0x0008103E, 0x00200011
VRS = sorted({vr for entry in ENTRIES.values() for vr in entry.vr.split(" or ")})

share_ids = st.text("abcXYZ019-_", min_size=1, max_size=22)
canaries = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=6, max_size=6).map(
    "QZ".__add__
)


def policy(profile: Profile = STRICT, share_id: str = "share-1") -> SharePolicy:
    return build_policy(profile, KEY, share_id)


def written(policy: SharePolicy, tag: int, **facts: str) -> Element:
    names = {"modality": MODALITY, "description": DESCRIPTION, "number": NUMBER}
    given_facts = {names[name]: value for name, value in facts.items()}
    return next(one for one in policy.additions(given_facts) if one.tag == tag)


def as_dataset(elements: object) -> Dataset:
    assert isinstance(elements, tuple)
    dataset = Dataset()
    for element in elements:
        if element.vr == "SQ":
            items = [as_dataset(item) for item in element.values]
            dataset.add_new(element.tag, "SQ", items)
        else:
            dataset.add_new(element.tag, element.vr, list(element.values))
    return dataset


def test_it_is_what_the_codecs_ask() -> None:
    rules: Rules = policy()
    assert rules.decide(0x00280010, "US") is Action.KEEP


@given(st.integers(0, 2**32 - 1), st.sampled_from(VRS), st.sampled_from([STRICT]))
def test_unknown_and_private_tags_are_dropped(
    tag: int, vr: str, profile: Profile
) -> None:
    assume(tag not in ENTRIES or tag >> 16 & 1)
    assert policy(profile).decide(tag, vr) is Action.DROP


@given(st.sampled_from(sorted(ENTRIES)), st.sampled_from([*VRS, "XX", ""]))
def test_a_vr_that_contradicts_the_dictionary_drops_the_element(
    tag: int, vr: str
) -> None:
    assume(vr not in ENTRIES[tag].vr.split(" or "))
    for profile in (STRICT, GENEROUS):
        assert policy(profile).decide(tag, vr) is Action.DROP


def test_each_known_tag_has_the_action_of_its_ruling() -> None:
    for profile in (STRICT, GENEROUS):
        ours = policy(profile)
        for (tag, vr), ruling in rulings(profile.options).items():
            assert ours.decide(tag, vr) is ruling.action


@pytest.mark.filterwarnings("default")
def test_dummies_are_valid_for_their_vr() -> None:
    for profile in (STRICT, GENEROUS):
        ours = policy(profile)
        for (tag, vr), ruling in rulings(profile.options).items():
            if ruling.action is Action.DUMMY:
                for dummy in ours.dummy(tag, vr):
                    assert dummy.isascii()
                    assert dummy
                    validate_value(vr, dummy, config.RAISE)


def test_the_patient_has_a_name_and_an_id_of_the_share() -> None:
    ours = policy()
    assert ours.dummy(0x00100010, "PN") == ("Anonymous",)
    assert ours.dummy(0x00100020, "LO") == (ours.patient_id,)
    assert re.fullmatch(r"ANON-[A-Z2-7]{8}", ours.patient_id)
    assert written(ours, 0x00100010).values == ("Anonymous",)
    assert written(ours, 0x00100020).values == (ours.patient_id,)


@given(share_ids, share_ids)
def test_two_shares_have_neither_patient_nor_uids_in_common(
    one: str, other: str
) -> None:
    assume(one != other)
    here, there = policy(share_id=one), policy(share_id=other)
    assert here.patient_id != there.patient_id
    assert here.uid("1.2.276.0.99.1") != there.uid("1.2.276.0.99.1")


@given(share_ids)
def test_dates_are_moved_back_by_one_to_ten_years(share_id: str) -> None:
    moved = policy(GENEROUS, share_id).text(0x00080020, "DA", ["20240229"])
    assert moved is not None
    shift = date(2024, 2, 29) - date.fromisoformat(moved[0])
    assert SHIFT_MIN <= shift <= SHIFT_MAX


def test_shares_move_dates_differently() -> None:
    shares = [policy(GENEROUS, f"share-{number}") for number in range(50)]
    moved = {share.text(0x00080020, "DA", ["20240229"]) for share in shares}
    assert len(moved) > 40


def test_another_key_gives_another_patient_and_another_shift() -> None:
    other = build_policy(GENEROUS, KEY[::-1], "share-1")
    ours = policy(GENEROUS)
    assert other.patient_id != ours.patient_id
    date_ = (0x00080020, "DA", ["20240229"])
    assert other.text(*date_) != ours.text(*date_)


def test_nothing_changes_over_releases() -> None:
    # Links that are out show these; whoever changes them breaks those links.
    ours = build_policy(GENEROUS, b"k" * 32, "share-1")
    assert ours.patient_id == "ANON-KZJHI5JT"
    assert ours.text(0x00080020, "DA", ["20240229"]) == ("20140724",)


def test_a_uid_has_one_pseudonym_with_and_without_padding() -> None:
    ours = policy()
    plain = ours.uid("1.2.276.0.99.1")
    assert ours.uid("1.2.276.0.99.1\0") == ours.uid(" 1.2.276.0.99.1 ") == plain
    assert plain == SharePseudonyms(KEY, "share-1").uid("1.2.276.0.99.1")
    assert ours.uid("1.2.840.10008.1.2\0") == "1.2.840.10008.1.2"


def test_codes_are_known_with_and_without_padding() -> None:
    assert policy().code("113100 ", "DCM ") == policy().code("113100", "DCM")
    assert policy().code("DOE", "99LOCAL") is None


def test_a_tag_without_text_has_none() -> None:
    assert policy().text(0x00100010, "PN", ["Doe^John"]) is None


def test_lengths_are_bounded() -> None:
    assert policy().length_max(0x00280010, "US") == 2
    assert policy().length_max(0x00280106, "SS") == 2
    assert policy().length_max(0x00091001, "UN") == 0


@given(st.sampled_from(sorted(ENTRIES)), canaries)
def test_no_text_brings_a_canary_through(tag: int, canary: str) -> None:
    ours = policy()
    for vr in ENTRIES[tag].vr.split(" or "):
        for value in (canary, f"{canary}^X", f"1.{canary}", f"CT {canary}"):
            assert canary not in str(ours.text(tag, vr, [value]))
            assert canary not in str(ours.dummy(tag, vr))
            assert canary not in ours.uid(value)


@given(st.sampled_from(sorted(ENTRIES)), st.lists(st.text(max_size=70), max_size=4))
def test_texts_are_ascii_without_control_characters(tag: int, some: list[str]) -> None:
    ours = policy(GENEROUS)
    for vr in ENTRIES[tag].vr.split(" or "):
        for value in ours.text(tag, vr, some) or ():
            assert value.isascii()
            assert value.isprintable()


def test_additions_are_in_tag_order_and_readable() -> None:
    for profile in (STRICT, GENEROUS):
        for ours in (policy(profile), policy(profile).for_clean_pixels()):
            elements = ours.additions({MODALITY: "CT", NUMBER: "3"})
            tags = [element.tag for element in elements]
            assert tags == sorted(set(tags))
            dataset = as_dataset(elements)
            stream = BytesIO()
            dataset.save_as(stream, implicit_vr=False, little_endian=True)
            again = dcmread(BytesIO(stream.getvalue()), force=True)
            assert str(again.PatientName) == "Anonymous"
            assert again.DeidentificationMethodCodeSequence[0].CodeValue == "113100"


@pytest.mark.parametrize(
    ("facts", "description"),
    [
        ({"modality": "CT", "number": "3"}, "CT 3"),
        ({"modality": "CT"}, "CT"),
        ({"number": "3"}, "OT 3"),
        ({"modality": "DOE", "number": "JOHN"}, "OT"),
        ({"modality": "CT", "number": "3", "description": "Head"}, "CT 3"),
        ({}, "OT"),
    ],
)
def test_a_series_is_described_by_modality_and_number(
    facts: dict[str, str], description: str
) -> None:
    assert written(policy(), DESCRIPTION, **facts).values == (description,)


@pytest.mark.parametrize(
    ("original", "description"),
    [
        ("T1 SAG Smith", "T1 SAG *"),
        ("Smith", "MR 3"),
        ("", "MR 3"),
        ("head " * 40, ("head " * 13)[:64].rstrip()),
    ],
)
def test_or_by_its_cleaned_description(original: str, description: str) -> None:
    element = written(
        policy(GENEROUS),
        DESCRIPTION,
        modality="MR",
        number="3",
        description=original,
    )
    assert element.values == (description,)


def test_only_objects_with_cleaned_pixels_are_marked_so() -> None:
    burned_in = 0x00280301
    assert burned_in not in [one.tag for one in policy().additions({})]
    cleaned = policy(GENEROUS).for_clean_pixels()
    assert written(cleaned, burned_in).values == ("NO",)
    assert cleaned.profile is GENEROUS
    assert cleaned.uid("1.2.276.0.99.1") == policy().uid("1.2.276.0.99.1")


def test_additions_tell_which_facts_they_need() -> None:
    assert set(policy().additions_need) == {MODALITY, DESCRIPTION, NUMBER}


def test_its_text_holds_no_key() -> None:
    ours = policy()
    assert DEIDENTIFICATION_KEY not in repr(ours) + repr(ours.pseudonyms)
