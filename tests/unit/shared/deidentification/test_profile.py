"""A site's profile and its file."""

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from orthanc_share.deidentification import text_in_pixels
from orthanc_share.deidentification.profile import Blocked, MaskRule, Option, Profile
from orthanc_share.deidentification.profile_file import REFUSED_OPTIONS, _Reader
from orthanc_share.deidentification.regions import Region
from orthanc_share.domain.errors import ConfigurationError

MASK = """
[[masks]]
manufacturer = "Maker"
model = "Model"
rows = 480
columns = 640
regions = [[0, 0, 640, 40], [600, 440, 40, 40]]
"""
SECRET = "Doe-John-1945"


def load(folder: Path, text: str) -> Profile:
    path = folder / "profile.toml"
    path.write_text(text, "utf-8")
    return Profile.from_toml(path)


def problems(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load(folder, text)
    found = caught.value.problems
    assert SECRET not in str(caught.value)
    assert all(one.startswith("DEIDENTIFICATION_PROFILE: ") for one in found)
    return tuple(one.removeprefix("DEIDENTIFICATION_PROFILE: ") for one in found)


def test_without_a_file_nothing_is_let_pass() -> None:
    profile = Profile()
    assert profile.options == frozenset()
    assert profile.allowed_modalities == frozenset()
    assert profile.masks == ()
    assert profile.blocked is Blocked.PLACEHOLDER


def test_an_empty_file_is_the_safe_default(tmp_path: Path) -> None:
    assert load(tmp_path, "") == Profile()


def test_everything_can_be_set(tmp_path: Path) -> None:
    text = f"""
options = ["retain-modified-dates", "clean-descriptors"]
blocked = "hide"
allowed-modalities = ["US", "XA"]
{MASK}
"""
    assert load(tmp_path, text) == Profile(
        options=frozenset({Option.RETAIN_MODIFIED_DATES, Option.CLEAN_DESCRIPTORS}),
        blocked=Blocked.HIDE,
        allowed_modalities=frozenset({"US", "XA"}),
        masks=(
            MaskRule(
                "Maker",
                "Model",
                480,
                640,
                (Region(0, 0, 640, 40), Region(600, 440, 40, 40)),
            ),
        ),
    )


def test_profiles_can_be_compared_and_remembered(tmp_path: Path) -> None:
    assert len({load(tmp_path, MASK), load(tmp_path, MASK), Profile()}) == 2


@pytest.mark.parametrize("option", Option)
def test_each_option_goes_by_its_short_name(tmp_path: Path, option: Option) -> None:
    assert load(tmp_path, f'options = ["{option}"]').options == {option}


@pytest.mark.parametrize("name", REFUSED_OPTIONS)
def test_what_cannot_be_honoured_is_refused_with_the_reason(
    tmp_path: Path, name: str
) -> None:
    (problem,) = problems(tmp_path, f'options = ["{name}"]')
    assert problem == f"{name} cannot be honoured: {REFUSED_OPTIONS[name]}."


TEMPORAL = "Retain Longitudinal Temporal Information"
STANDARD_NAMES = {
    "Clean Descriptors": Option.CLEAN_DESCRIPTORS,
    f"{TEMPORAL} with Modified Dates": Option.RETAIN_MODIFIED_DATES,
    f"{TEMPORAL} Modified Dates": Option.RETAIN_MODIFIED_DATES,
    "Retain Patient Characteristics": Option.RETAIN_PATIENT_CHARACTERISTICS,
    "Retain Device Identity": Option.RETAIN_DEVICE_IDENTITY,
    "Retain Institution Identity": Option.RETAIN_INSTITUTION_IDENTITY,
    "Retain Safe Private": Option.RETAIN_SAFE_PRIVATE,
}
"""The names of PS3.15 Annex E and, of the dates, that of PS3.16 CID 7050 too."""

STANDARD_NAMES_REFUSED = {
    "Clean Pixel Data": "clean-pixel-data",
    "Clean Recognizable Visual Features": "clean-recognizable-visual-features",
    "Clean Graphics": "clean-graphics",
    "Clean Structured Content": "clean-structured-content",
    f"{TEMPORAL} with Full Dates": "retain-full-dates",
    f"{TEMPORAL} Full Dates": "retain-full-dates",
    "Retain UIDs": "retain-uids",
}


def spellings(name: str) -> tuple[str, ...]:
    hyphens = name.replace(" ", "-")
    return (name, f"{name} Option", f" {name.upper()}  OPTION ", f"{hyphens}-option")


def test_all_options_of_ps3_15_have_their_names() -> None:
    assert set(STANDARD_NAMES.values()) == set(Option)
    assert set(STANDARD_NAMES_REFUSED.values()) == set(REFUSED_OPTIONS)


@pytest.mark.parametrize("name", STANDARD_NAMES)
def test_each_option_goes_by_its_name_in_ps3_15(tmp_path: Path, name: str) -> None:
    for written in spellings(name):
        profile = load(tmp_path, f'options = ["{written}"]')
        assert profile.options == {STANDARD_NAMES[name]}


@pytest.mark.parametrize("name", STANDARD_NAMES_REFUSED)
def test_what_is_refused_is_so_by_its_name_in_ps3_15_too(
    tmp_path: Path, name: str
) -> None:
    short = STANDARD_NAMES_REFUSED[name]
    expected = f"{short} cannot be honoured: {REFUSED_OPTIONS[short]}."
    for written in spellings(name):
        assert problems(tmp_path, f'options = ["{written}"]') == (expected,)


@pytest.mark.parametrize(
    "name",
    [
        TEMPORAL,  # full or modified?
        f"{TEMPORAL} with Device Identity",
        "Clean Retain Device Identity",
        "RetainDeviceIdentity",
        "Device Identity",
        "Option",
        "",
    ],
)
def test_what_is_no_option_s_name_is_none(tmp_path: Path, name: str) -> None:
    (problem,) = problems(tmp_path, f'options = ["{name}"]')
    assert problem.startswith("option 1 is unknown; known are clean-descriptors, ")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        (f'options = ["{SECRET}"]', "option 1 is unknown"),
        ('options = "clean-descriptors"', "options should be a list of texts"),
        ("options = [1]", "options should be a list of texts"),
        (f'blocked = "{SECRET}"', "blocked should be one of placeholder, hide"),
        ("blocked = 1", "blocked should be one of placeholder, hide"),
        ('allowed-modalities = ["SR"]', "allowed modality 1 cannot be permitted"),
        ('allowed-modalities = ["US", "KO"]', "allowed modality 2 cannot be"),
        ("allowed-modalities = 1", "allowed-modalities should be a list of texts"),
        (f"{SECRET} = 1", "key 1 is unknown"),
        ("masks = 1", "masks should be a list of tables"),
        ("masks = [1]", "mask 1: it should be a table"),
        (MASK + f"{SECRET} = 1", "mask 1: key 6 is unknown"),
        (MASK + MASK, "two masks are for the same images"),
        (MASK.replace('"Maker"', '" "'), "mask 1: manufacturer should be a text"),
        (MASK.replace('"Model"', "1"), "mask 1: model should be a text"),
        (MASK.replace("480", "0"), "mask 1: rows should be a number from 1 to"),
        (MASK.replace("= 640", "= 65536"), "mask 1: columns should be a number"),
        (MASK.replace("= 640", "= true"), "mask 1: columns should be a number"),
        (MASK.replace("rows = 480", ""), "mask 1: rows should be a number from 1 to"),
        (MASK.replace("[0, 0, 640, 40]", "[0, 0, 641, 40]"), "mask 1: region 1 is no"),
        (MASK.replace("[600, 440, 40, 40]", "[0, 0, 0, 40]"), "mask 1: region 2 is no"),
        (MASK.replace("[600, 440, 40, 40]", "[-1, 0, 9, 9]"), "mask 1: region 2 is no"),
        (MASK.replace("[600, 440, 40, 40]", "[0, 0, 9]"), "mask 1: region 2 is no"),
        (MASK.replace("[600, 440, 40, 40]", "9"), "mask 1: region 2 is no"),
        (MASK.replace("[600, 440, 40, 40]", "[0, 0, 1.5, 9]"), "mask 1: region 2 is"),
        (MASK.partition("regions")[0], "mask 1: regions should be a list of"),
        (MASK.partition("regions")[0] + "regions = []", "mask 1: regions should be"),
        (SECRET, "the file is not TOML in UTF-8"),
    ],
)
def test_a_mistake_is_told_without_its_value(
    tmp_path: Path, text: str, start: str
) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(start)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = """
options = ["retain-uids", "typo"]
blocked = "maybe"
allowed-modalities = ["DOC"]
other = 1
[[masks]]
rows = 480
"""
    found = problems(tmp_path, text)
    assert len(found) == 8


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Profile.from_toml(tmp_path / "nowhere.toml")
    (problem,) = caught.value.problems
    assert problem.endswith("the file cannot be read (No such file or directory).")


def test_a_file_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    path.write_bytes(b'blocked = "\xff"')
    with pytest.raises(ConfigurationError):
        Profile.from_toml(path)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(
                ["rows", "columns", "model", "manufacturer", "regions", "x"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["options", "blocked", "allowed-modalities", "masks", "x"]),
        values,
    )
)
def test_any_content_gives_a_profile_or_problems(content: dict[str, object]) -> None:
    try:
        profile = _Reader().profile(content)
    except ConfigurationError as error:
        assert error.problems  # noqa: PT017 - either outcome is right
    else:
        assert isinstance(profile, Profile)


def test_images_are_looked_at_only_where_it_can_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_in_pixels, "is_installed", lambda: True)
    assert load(tmp_path, "ocr = true").ocr
    monkeypatch.setattr(text_in_pixels, "is_installed", lambda: False)
    assert not load(tmp_path, "ocr = false").ocr
    (problem,) = problems(tmp_path, "ocr = true")
    assert problem.startswith("ocr needs the extra, pip install 'orthanc-share[ocr]'")


@pytest.mark.parametrize("value", ["1", '"yes"', "[]"])
def test_whether_images_are_looked_at_is_yes_or_no(value: str, tmp_path: Path) -> None:
    assert problems(tmp_path, f"ocr = {value}") == ("ocr should be true or false.",)
