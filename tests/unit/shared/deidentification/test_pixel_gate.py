"""Which images may be shown."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from orthanc_share.deidentification import pixel_gate
from orthanc_share.deidentification.gate import (
    UNREADABLE,
    BlockedInstanceError,
    Facts,
    Outcome,
    Reason,
    Verdict,
)
from orthanc_share.deidentification.pixel_gate import PixelGate
from orthanc_share.deidentification.profile import MaskRule, Profile
from orthanc_share.deidentification.regions import Region
from orthanc_share.deidentification.storage_classes import CLASSES, PERMITS, Trust

ROOT = "1.2.840.10008.5.1.4.1.1."
CT, MR, CR, DX, MG = (ROOT + suffix for suffix in ("2", "4", "1", "1.1", "1.2"))
US, SC, XA, SM = (ROOT + suffix for suffix in ("6.1", "7", "12.1", "77.1.6"))
RTDOSE, NM = ROOT + "481.2", ROOT + "20"
ORIGINAL = ("ORIGINAL", "PRIMARY", "AXIAL")

DEFAULT = PixelGate(Profile())
EVERYTHING = PixelGate(Profile(allowed_modalities=PERMITS))

IMAGE_TYPE = pixel_gate.IMAGE_TYPE
BURNED_IN = pixel_gate.BURNED_IN
ROWS = pixel_gate.ROWS
COLUMNS = pixel_gate.COLUMNS


Values = dict[int, Sequence[str]]


def image(sop_class: str, values: Mapping[int, Sequence[str]] | None = None) -> Facts:
    return Facts(
        {
            pixel_gate.SOP_CLASS: (sop_class,),
            IMAGE_TYPE: ORIGINAL,
            ROWS: ("480",),
            COLUMNS: ("640",),
        }
        | dict(values or {})
    )


def reason(facts: Facts, gate: PixelGate = DEFAULT) -> Reason:
    """Return why it is blocked."""
    verdict = gate.judge(facts)
    assert verdict.blocked
    assert verdict.regions == ()
    return verdict.reason


def shown(facts: Facts, gate: PixelGate = DEFAULT) -> bool:
    return gate.judge(facts).outcome is Outcome.ALLOWED


@pytest.mark.parametrize(
    "sop_class", [uid for uid, one in CLASSES.items() if one.trust is Trust.ORIGIN]
)
def test_images_made_of_measurements_are_shown(sop_class: str) -> None:
    assert shown(image(sop_class))
    assert shown(image(sop_class, {BURNED_IN: ("NO",)}))
    assert shown(image(sop_class, {BURNED_IN: ("",)}))


@pytest.mark.parametrize("sop_class", CLASSES)
def test_no_image_is_shown_that_says_that_text_is_burned_in(sop_class: str) -> None:
    said = image(sop_class, {BURNED_IN: ("YES",), IMAGE_TYPE: ("ORIGINAL", "PRIMARY")})
    assert DEFAULT.judge(said).blocked
    assert EVERYTHING.judge(said).blocked


@pytest.mark.parametrize("said", ["YES", "no", "N", "NEIN", "?", *UNREADABLE])
def test_only_the_word_no_means_no(said: str) -> None:
    assert reason(image(CT, {BURNED_IN: (said,)})) is Reason.BURNED_IN


def test_two_words_are_no_answer() -> None:
    assert reason(image(CT, {BURNED_IN: ("NO", "NO")})) is Reason.BURNED_IN


def test_a_frame_that_says_that_text_is_burned_in_blocks_the_object() -> None:
    facts = image(CT, {BURNED_IN: ("NO",)})
    assert reason(facts._replace(nested={BURNED_IN: ("YES",)})) is Reason.BURNED_IN
    assert shown(facts._replace(nested={BURNED_IN: ("NO", "")}))


@pytest.mark.parametrize(
    ("sop_class", "why"),
    [
        (ROOT + "88.33", Reason.DOCUMENT),  # SR
        (ROOT + "88.59", Reason.DOCUMENT),  # KO
        (ROOT + "104.1", Reason.DOCUMENT),  # PDF
        (ROOT + "11.1", Reason.DOCUMENT),  # PR
        (ROOT + "9.1.1", Reason.DOCUMENT),  # ECG
        (ROOT + "77.1.1.1", Reason.VIDEO),
        (ROOT + "66", Reason.UNKNOWN_CLASS),  # raw data
        (ROOT + "481.5", Reason.UNKNOWN_CLASS),  # RT Plan
        ("1.3.12.2.1107.5.9.1", Reason.UNKNOWN_CLASS),  # private
        ("", Reason.UNKNOWN_CLASS),
        (f"{CT}.99", Reason.UNKNOWN_CLASS),
    ],
)
def test_what_is_not_known_as_an_image_is_not_shown(
    sop_class: str, why: Reason
) -> None:
    assert reason(image(sop_class), EVERYTHING) is why


def test_an_object_without_a_class_or_with_two_is_not_shown() -> None:
    assert reason(Facts({})) is Reason.UNKNOWN_CLASS
    two = image(CT, {pixel_gate.SOP_CLASS: (CT, CT)})
    assert reason(two) is Reason.UNKNOWN_CLASS


@pytest.mark.parametrize(
    "word",
    [
        *("SECONDARY", "SCREEN SAVE", "CSA REPORT", "LABEL", "OVERVIEW", "secondary"),
        *("DOSE_INFO", "CT_SOM5 PROT", "PATIENT PROTOCOL", "Capture", *UNREADABLE),
    ],
)
def test_copies_of_screens_and_reports_are_known_by_their_image_type(word: str) -> None:
    assert reason(image(CT, {IMAGE_TYPE: (*ORIGINAL, word)})) is Reason.IMAGE_TYPE
    typed = image(CT)._replace(nested={pixel_gate.FRAME_TYPE: ("ORIGINAL", word)})
    assert reason(typed) is Reason.IMAGE_TYPE


def test_a_dose_may_be_called_one() -> None:
    assert shown(image(RTDOSE, {IMAGE_TYPE: ("DERIVED", "PRIMARY", "DOSE")}))
    assert reason(image(RTDOSE, {IMAGE_TYPE: ("DERIVED", "SECONDARY")})) is (
        Reason.IMAGE_TYPE
    )


@pytest.mark.parametrize("image_type", [(), ("", "")])
def test_a_ct_that_does_not_tell_its_type_is_not_shown(image_type: list[str]) -> None:
    assert reason(image(CT, {IMAGE_TYPE: image_type})) is Reason.IMAGE_TYPE
    assert shown(image(RTDOSE, {IMAGE_TYPE: image_type}))


@pytest.mark.parametrize(
    "tag", [0x00080064, 0x00181010, 0x00181012, 0x00181016, 0x00181018, 0x00181019]
)
def test_traces_of_a_capture_block(tag: int) -> None:
    assert reason(image(CT, {tag: ("x",)})) is Reason.SCREEN_CAPTURE
    assert shown(image(CT, {tag: ("",)}))


@pytest.mark.parametrize(
    "description", ["Screen Save", "DOSE REPORT", "Patient_Protocol", "screenshot"]
)
def test_series_that_are_called_a_capture_are_not_shown(description: str) -> None:
    said = {pixel_gate.SERIES_DESCRIPTION: (description,)}
    assert reason(image(CT, said)) is Reason.SCREEN_CAPTURE


def test_a_screening_is_no_screen() -> None:
    assert shown(image(CT, {pixel_gate.SERIES_DESCRIPTION: ("Lung Screening",)}))


def test_a_ct_in_colour_is_not_shown() -> None:
    coloured = {pixel_gate.SAMPLES_PER_PIXEL: ("3",)}
    assert reason(image(CT, coloured)) is Reason.COLOUR
    assert shown(image(CT, {pixel_gate.SAMPLES_PER_PIXEL: ("1",)}))
    assert shown(image(NM, coloured))


@pytest.mark.parametrize("group", range(0x6000, 0x6020, 2))
def test_overlays_within_the_pixels_block(group: int) -> None:
    tag = group << 16 | 0x0102
    assert reason(image(CT, {tag: ("12",)})) is Reason.OVERLAY
    assert shown(image(CT, {tag: ("0",)}))


def test_colours_without_their_palette_are_not_shown() -> None:
    values: Values = {pixel_gate.PHOTOMETRIC: ("PALETTE COLOR",)}
    assert reason(image(NM, values)) is Reason.PALETTE
    values |= {0x00281201: UNREADABLE, 0x00281202: UNREADABLE}
    assert reason(image(NM, values)) is Reason.PALETTE
    assert shown(image(NM, values | {0x00281203: UNREADABLE}))


def test_what_cannot_be_cleaned_is_not_shown() -> None:
    mpeg4 = {pixel_gate.TRANSFER_SYNTAX: ("1.2.840.10008.1.2.4.102",)}
    assert reason(image(CT, mpeg4)) is Reason.TRANSFER_SYNTAX
    jpeg = {pixel_gate.TRANSFER_SYNTAX: ("1.2.840.10008.1.2.4.50",)}
    assert shown(image(CT, jpeg))


def test_a_radiograph_must_say_no_unless_the_site_permits_it() -> None:
    for sop_class, permit in ((CR, "CR"), (DX, "DX")):
        gate = PixelGate(Profile(allowed_modalities=frozenset({permit})))
        assert reason(image(sop_class)) is Reason.NOT_DECLARED
        assert shown(image(sop_class, {BURNED_IN: ("NO",)}))
        assert shown(image(sop_class), gate)
        yes = image(sop_class, {BURNED_IN: ("YES",)})
        assert reason(yes, gate) is Reason.BURNED_IN


def test_a_mammogram_is_original_or_says_no() -> None:
    derived: Values = {IMAGE_TYPE: ("DERIVED", "PRIMARY")}
    assert shown(image(MG))
    assert reason(image(MG, derived)) is Reason.NOT_DECLARED
    assert shown(image(MG, derived | {BURNED_IN: ("NO",)}))


@pytest.mark.parametrize("sop_class", [US, XA, SC])
def test_what_often_has_names_needs_the_site_and_the_word_no(sop_class: str) -> None:
    no = image(sop_class, {BURNED_IN: ("NO",)})
    assert reason(no) is Reason.NOT_PERMITTED
    assert shown(no, EVERYTHING)
    assert reason(image(sop_class), EVERYTHING) is Reason.NOT_DECLARED


def test_the_class_and_not_the_modality_is_permitted() -> None:
    gate = PixelGate(Profile(allowed_modalities=frozenset({"CR"})))
    capture = image(SC, {BURNED_IN: ("NO",), 0x00080060: ("CR",)})
    assert reason(capture, gate) is Reason.NOT_PERMITTED


def test_a_permitted_capture_may_be_one_but_no_scanned_document() -> None:
    typed: Values = {IMAGE_TYPE: ("DERIVED", "SECONDARY"), BURNED_IN: ("NO",)}
    said: Values = {pixel_gate.CONVERSION_TYPE: ("WSD",)}
    assert shown(image(SC, typed | said), EVERYTHING)
    scanned = {pixel_gate.CONVERSION_TYPE: ("SD",)}
    assert reason(image(SC, typed | scanned), EVERYTHING) is Reason.SCREEN_CAPTURE


def test_of_slides_only_the_tissue_is_shown() -> None:
    volume: Values = {
        IMAGE_TYPE: ("ORIGINAL", "PRIMARY", "VOLUME", "NONE"),
        pixel_gate.SPECIMEN_LABEL: ("NO",),
        BURNED_IN: ("NO",),
    }
    assert shown(image(SM, volume), EVERYTHING)
    others: tuple[Values, ...] = (
        {IMAGE_TYPE: ("ORIGINAL", "PRIMARY", "LABEL", "NONE")},
        {IMAGE_TYPE: ("ORIGINAL", "PRIMARY", "OVERVIEW", "NONE")},
        {IMAGE_TYPE: ("ORIGINAL", "PRIMARY")},
        {pixel_gate.SPECIMEN_LABEL: ("YES",)},
        {pixel_gate.SPECIMEN_LABEL: ()},
    )
    for other in others:
        assert reason(image(SM, volume | other), EVERYTHING) is Reason.SLIDE_LABEL


RULE = MaskRule("ACME", "Scan 1", 480, 640, (Region(0, 0, 640, 40),))
MADE_BY: Values = {pixel_gate.MANUFACTURER: ("ACME",), pixel_gate.MODEL: ("Scan 1",)}


def masking(*rules: MaskRule) -> PixelGate:
    return PixelGate(Profile(allowed_modalities=frozenset({"US"}), masks=rules))


@pytest.mark.parametrize("sop_class", [US, CR, CT])
def test_a_mask_rule_stands_for_the_word_no(sop_class: str) -> None:
    verdict = masking(RULE).judge(image(sop_class, MADE_BY | {BURNED_IN: ("YES",)}))
    assert verdict == Verdict(Outcome.MASKED, Reason.MASK_RULE, RULE.regions)


@pytest.mark.parametrize(
    "other",
    [
        {ROWS: ("481",)},
        {COLUMNS: ("641",)},
        {ROWS: ()},
        {pixel_gate.MANUFACTURER: ("ACMEX",)},
        {pixel_gate.MODEL: ("Scan 2",)},
        {pixel_gate.MODEL: ("Scan 1", "Scan 1")},
    ],
)
def test_a_mask_rule_fits_one_kind_of_image(other: Values) -> None:
    assert reason(image(US, MADE_BY | other), masking(RULE)) is Reason.NOT_DECLARED


def test_a_mask_rule_permits_no_modality() -> None:
    gate = PixelGate(Profile(masks=(RULE,)))
    assert reason(image(US, MADE_BY), gate) is Reason.NOT_PERMITTED


def test_a_mask_rule_does_not_permit_a_capture() -> None:
    typed: Values = {IMAGE_TYPE: ("DERIVED", "SECONDARY")}
    assert reason(image(CT, MADE_BY | typed), masking(RULE)) is Reason.IMAGE_TYPE


@pytest.mark.parametrize(
    "regions", [(), (Region(0, 480, 9, 9),), (Region(9, 9, 0, 5), Region(9, 9, 5, 0))]
)
def test_a_mask_that_blanks_nothing_shows_nothing(regions: tuple[Region, ...]) -> None:
    gate = masking(replace(RULE, regions=regions))
    assert reason(image(US, MADE_BY), gate) is Reason.MASK_IMPOSSIBLE


def test_what_cannot_be_decoded_here_cannot_be_masked() -> None:
    lossless: Values = {pixel_gate.TRANSFER_SYNTAX: ("1.2.840.10008.1.2.4.70",)}
    facts = image(US, MADE_BY | lossless)
    assert reason(facts, masking(RULE)) is Reason.MASK_IMPOSSIBLE


def region(*edges: str) -> dict[int, tuple[str, ...]]:
    tags = (0x00186018, 0x0018601A, 0x0018601C, 0x0018601E)
    return {tag: (edge,) for tag, edge in zip(tags, edges, strict=False)}


def scan(*items: dict[int, tuple[str, ...]]) -> Facts:
    return image(US)._replace(items={pixel_gate.REGIONS: items})


def test_ultrasound_is_masked_to_its_regions() -> None:
    verdict = masking().judge(scan(region("100", "50", "539", "479")))
    assert verdict.outcome is Outcome.MASKED
    assert verdict.reason is Reason.ULTRASOUND_REGIONS
    assert set(verdict.regions) == {
        (0, 0, 100, 50), (100, 0, 440, 50), (540, 0, 100, 50),
        (0, 50, 100, 430), (540, 50, 100, 430),
    }  # fmt: skip


def test_ultrasound_that_says_no_is_not_masked() -> None:
    facts = scan(region("1", "1", "5", "5"))
    said = facts._replace(values={**facts.values, BURNED_IN: ("NO",)})
    assert shown(said, masking())


@pytest.mark.parametrize(
    "item",
    [
        region("1", "1", "5"),
        region("5", "1", "1", "5"),
        region("1", "5", "5", "1"),
        region("x", "1", "5", "5"),
        region("-1", "1", "5", "5"),
        region("1", "1", "5", "70000"),
        region("1", "1", "5", "7000000000000000000000"),
        region("1", "1", "٣", "5"),
    ],
)
def test_a_region_that_cannot_be_read_is_not_kept(
    item: dict[int, tuple[str, ...]],
) -> None:
    assert reason(scan(item), masking()) is Reason.NOT_DECLARED
    both = masking().judge(scan(item, region("0", "0", "639", "99")))
    assert both.regions == ((0, 100, 640, 380),)


def test_a_region_of_the_whole_image_hides_nothing() -> None:
    whole = scan(region("0", "0", "639", "479"))
    assert reason(whole, masking()) is Reason.MASK_IMPOSSIBLE


@pytest.mark.parametrize("rows", [(), ("x",), ("480", "480")])
def test_without_rows_nothing_can_be_masked(rows: tuple[str, ...]) -> None:
    facts = scan(region("0", "0", "9", "9"))
    without = facts._replace(values={**facts.values, ROWS: rows})
    assert reason(without, masking()) is Reason.MASK_IMPOSSIBLE


texts = st.lists(
    st.sampled_from(["", "NO", "YES", "ORIGINAL", "SECONDARY", "1", "0", CT, US, SC])
    | st.text(max_size=5),
    max_size=3,
)
everything = st.builds(
    Facts,
    st.dictionaries(st.sampled_from(sorted(DEFAULT.needs)), texts, max_size=12),
    st.dictionaries(st.sampled_from(sorted(DEFAULT.needs_nested)), texts),
    st.fixed_dictionaries(
        {
            pixel_gate.REGIONS: st.lists(
                st.dictionaries(
                    st.sampled_from(sorted(DEFAULT.needs_items[pixel_gate.REGIONS])),
                    texts,
                ),
                max_size=3,
            )
        }
    ),
)


@given(everything)
def test_the_gate_always_answers_and_the_default_never_shows_more(facts: Facts) -> None:
    default, permitting = DEFAULT.judge(facts), EVERYTHING.judge(facts)
    if permitting.blocked:
        assert default.blocked
    for verdict in (default, permitting):
        assert (verdict.outcome is Outcome.MASKED) == bool(verdict.regions)


def test_every_class_that_a_site_can_permit_has_a_name() -> None:
    assert {"US", "SC", "XA", "CR", "DX"} <= PERMITS
    assert "CT" not in PERMITS


def test_the_refusal_names_the_reason_and_no_value() -> None:
    verdict = DEFAULT.judge(image(CT, {BURNED_IN: ("QZNAME",)}))
    refusal = BlockedInstanceError(verdict)
    assert str(refusal) == "The instance is not shown: burned-in."
    assert refusal.verdict is verdict


def test_what_is_remembered_is_bounded_and_stays_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pixel_gate, "KNOWN_MAX", 3)
    gate = PixelGate(Profile())
    for rows in [*range(1, 9), *range(1, 9)]:
        for burned_in in ("NO", "YES"):
            values = {
                pixel_gate.SOP_CLASS: (CT,),
                IMAGE_TYPE: ORIGINAL,
                ROWS: (str(rows),),
                BURNED_IN: (burned_in,),
            }
            verdict = gate.judge(Facts(values))
            assert verdict == PixelGate(Profile()).judge(Facts(values))
            assert verdict.blocked is (burned_in == "YES")
