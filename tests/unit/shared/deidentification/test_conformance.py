"""The conformance statement of a profile."""

import re

import pytest

from orthanc_share.deidentification.actions import Action
from orthanc_share.deidentification.conformance import conformance_table
from orthanc_share.deidentification.dictionary import ENTRIES
from orthanc_share.deidentification.profile import Option, Profile
from orthanc_share.deidentification.rulings import rulings
from orthanc_share.deidentification.table import REPEATING, TABLE

LINE = re.compile(r"\| \((\w{4}),(\w{4})\) \| (.*) \| (.*) \| (.*) \| (.*) \| (.*) \|")


def rows(text: str) -> dict[str, list[tuple[str, ...]]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for match in LINE.finditer(text):
        found.setdefault(match[1] + match[2], []).append(match.groups()[2:])
    return found


@pytest.mark.parametrize("profile", [Profile(), Profile(options=frozenset(Option))])
def test_every_attribute_of_ps3_15_has_a_line(profile: Profile) -> None:
    found = rows(conformance_table(profile))
    assert {f"{tag:08X}" for tag in TABLE} | set(REPEATING) <= set(found)


@pytest.mark.parametrize("profile", [Profile(), Profile(options=frozenset(Option))])
def test_every_attribute_of_which_anything_is_kept_has_a_line(profile: Profile) -> None:
    found = rows(conformance_table(profile))
    for (tag, vr), ruling in rulings(profile.options).items():
        if ruling.action is not Action.DROP:
            assert vr in [line[1] for line in found[f"{tag:08X}"]]


def test_lines_are_in_the_order_of_their_tags() -> None:
    tags = list(rows(conformance_table(Profile())))
    assert tags == sorted(tags)


def test_a_line_tells_what_is_done_and_why() -> None:
    found = rows(conformance_table(Profile()))
    assert found["00100010"] == [
        ("Patient's Name", "PN", "Z", "PS3.15 Z", "replaced by a dummy")
    ]
    assert found["00280010"] == [("Rows", "US", "-", "number", "kept")]
    assert found["00101010"] == [
        ("Patient's Age", "AS", "X", "PS3.15 X", "removed"),
    ]


def test_an_option_shows_in_head_and_lines() -> None:
    option = Option.RETAIN_PATIENT_CHARACTERISTICS
    text = conformance_table(Profile(options=frozenset({option})))
    assert "(`retain-patient-characteristics`): on" in text
    assert "(`retain-device-identity`): off" in text
    assert rows(text)["00101010"][0][3:] == (
        "retain-patient-characteristics K",
        "kept after a check, or changed",
    )


def test_what_the_site_permits_is_told() -> None:
    text = conformance_table(Profile(allowed_modalities=frozenset({"XA", "US"})))
    assert "that the site permits: US, XA\n" in text
    assert "that the site permits: none\n" in conformance_table(Profile())


def test_attributes_newer_than_the_dictionary_are_removed() -> None:
    found = rows(conformance_table(Profile()))
    newer = [tag for tag in TABLE if tag not in ENTRIES]
    assert len(newer) >= 25
    for tag in newer:
        assert found[f"{tag:08X}"][0][3:] == ("not in the dictionary", "removed")


def test_it_tells_whether_images_are_looked_at() -> None:
    line = "- Images are looked at for text (`ocr`): "
    assert f"{line}off" in conformance_table(Profile())
    assert f"{line}on" in conformance_table(Profile(ocr=True))
