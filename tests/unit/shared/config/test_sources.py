"""Where settings come from, and what is said when they are wrong."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from pydantic import Field, SecretStr, ValidationError
from typing_extensions import override

from orthanc_share.config.sources import (
    SECRET_LENGTH_MAX,
    EnvironmentAndSecrets,
    SettingsBase,
    misspelt,
    variable_in,
    variables_in,
)
from orthanc_share.config.values import Root
from orthanc_share.domain.errors import ConfigurationError


class Settings(SettingsBase):
    """Settings of a made-up service."""

    ALIASES: ClassVar[Mapping[str, tuple[str, ...]]] = {"colour": ("COLOR",)}

    password: SecretStr | None = None
    colour: str = "blue"
    root: Root | None = None
    number: Annotated[int, Field(ge=1)] = 7

    @override
    def contradictions(self) -> Iterator[str]:
        yield from super().contradictions()
        if self.root is None:
            yield "ROOT is missing: COLOUR is set up."

    @override
    def warnings(self) -> Iterator[str]:
        yield from super().warnings()


GOOD = {"ROOT": "https://h.example"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a secrets directory."""
    made = tmp_path / "secrets"
    made.mkdir()
    return made


def problems(environ: Mapping[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(environ)
    return caught.value.problems


def test_a_setting_comes_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load(GOOD | {"COLOUR": " red\n"}).colour == "red"
    monkeypatch.setenv("ROOT", "https://h.example")
    monkeypatch.setenv("COLOUR", "green")
    assert Settings.load().colour == "green"
    assert list(Settings.load().warnings()) == []


def test_calling_the_class_reads_nothing_but_its_arguments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLOUR", "green")
    assert Settings(number=8) == Settings(colour="blue", number=8)


def test_a_setting_comes_from_the_file_that_a_variable_names(tmp_path: Path) -> None:
    file = tmp_path / "anything"
    file.write_bytes("\ufeff  grün\n".encode())  # with the mark of some editors
    assert Settings.load(GOOD | {"COLOUR_FILE": str(file)}).colour == "grün"


def test_a_setting_comes_from_the_secrets_directory(folder: Path) -> None:
    (folder / "PASSWORD").write_text("canary\n", "utf-8")
    (folder / "ROOT").write_text("https://h.example/", "utf-8")
    settings = Settings.load({"SECRETS_DIR": str(folder)})
    assert settings.password == SecretStr("canary")
    assert settings.root == "https://h.example/"


def test_a_file_wins_over_a_secret_and_a_secret_over_a_variable(
    folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("from the file", "utf-8")
    (folder / "COLOUR").write_text("from the secret", "utf-8")
    environ = GOOD | {"SECRETS_DIR": str(folder), "COLOUR": "from the variable"}
    assert Settings.load(environ).colour == "from the secret"
    environ |= {"COLOUR_FILE": str(file)}
    assert Settings.load(environ).colour == "from the file"


@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_an_empty_value_counts_as_absent(empty: str, folder: Path) -> None:
    environ = GOOD | {"COLOUR": empty, "NUMBER": empty, "COLOUR_FILE": empty.strip()}
    assert Settings.load(environ).colour == "blue"
    (folder / "COLOUR").write_text(empty, "utf-8")
    assert Settings.load(environ | {"SECRETS_DIR": str(folder)}).colour == "blue"


def test_a_setting_may_have_two_names_but_not_two_values() -> None:
    assert Settings.load(GOOD | {"COLOR": "red"}).colour == "red"
    assert Settings.load(GOOD | {"COLOR": "red", "COLOUR": "red"}).colour == "red"
    twice = problems(GOOD | {"COLOR": "canary", "COLOUR": "red"})
    assert twice == ("COLOR: differs from its other name.",)


def test_settings_cannot_be_changed_or_made_up() -> None:
    with pytest.raises(ValidationError):
        Settings().number = 8  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Settings.model_validate({"canary": 1})


def test_every_mistake_is_told_at_once_by_name_and_without_its_value(
    folder: Path,
) -> None:
    (folder / "PASSWORD").write_bytes(b"canary \xff")
    lines = problems(
        {
            "SECRETS_DIR": str(folder),
            "COLOUR_FILE": str(folder / "canary-is-not-there"),
            "NUMBER": "canary",
        }
    )
    assert lines == (
        "PASSWORD: the file is not UTF-8 text.",
        "COLOUR_FILE: cannot read the file (No such file or directory).",
        "NUMBER: Input should be a valid integer, unable to parse string as an integer",
        "ROOT is missing: COLOUR is set up.",
    )


def test_what_is_wrong_by_itself_is_not_missing_as_well(folder: Path) -> None:
    lines = problems({"ROOT": "canary"})
    assert lines == ("ROOT: should be an address that starts with http:// or https://",)
    lines = problems({"ROOT_FILE": str(folder)})
    assert lines == ("ROOT_FILE: cannot read the file (Is a directory).",)


def test_a_variable_that_is_no_text_is_a_mistake_and_not_told() -> None:
    # The system gives bytes that are no UTF-8 as lone surrogates.
    broken = os.fsdecode(b"canary\xff")
    lines = problems(GOOD | {"PASSWORD": broken})
    assert lines == ("PASSWORD: is not UTF-8 text.",)


def test_a_folder_in_the_place_of_a_secret_is_a_mistake(folder: Path) -> None:
    # Compose makes one where the file that it should mount is missing.
    (folder / "PASSWORD").mkdir()
    lines = problems(GOOD | {"SECRETS_DIR": str(folder)})
    assert lines == ("PASSWORD: cannot read the file (Is a directory).",)


def test_a_secret_has_a_limit(folder: Path) -> None:
    file = folder / "COLOUR"
    environ = GOOD | {"SECRETS_DIR": str(folder)}
    file.write_text("x" * SECRET_LENGTH_MAX, "utf-8")
    assert len(Settings.load(environ).colour) == SECRET_LENGTH_MAX
    file.write_text("x" * (SECRET_LENGTH_MAX + 1), "utf-8")
    assert problems(environ) == ("COLOUR: the file is too long.",)


def test_a_device_as_secret_ends() -> None:
    assert problems(GOOD | {"COLOUR_FILE": "/dev/zero"}) == (
        "COLOUR_FILE: the file is too long.",
    )


def test_a_secrets_directory_that_was_named_must_be_there(folder: Path) -> None:
    missing = "SECRETS_DIR: cannot read the folder (No such file or directory)."
    assert problems(GOOD | {"SECRETS_DIR": str(folder / "canary")}) == (missing,)
    file = folder / "file"
    file.write_text("canary", "utf-8")
    not_one = "SECRETS_DIR: cannot read the folder (Not a directory)."
    assert problems(GOOD | {"SECRETS_DIR": str(file)}) == (not_one,)


def test_the_usual_secrets_directory_may_be_missing(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr(
        "orthanc_share.config.sources.SECRETS_DIR", folder / "not-there"
    )
    assert Settings.load(GOOD).colour == "blue"


def test_one_field_can_be_asked_for() -> None:
    source = EnvironmentAndSecrets(Settings, {"COLOUR": "red"})
    field = Settings.model_fields["colour"]
    assert source.get_field_value(field, "colour") == ("red", "colour", False)


def test_a_line_tells_its_variables() -> None:
    assert variable_in("USERS is missing.") == "USERS"
    assert variable_in("SECRET_KEY_FILE: cannot be read") == "SECRET_KEY"
    line = "SECRET_KEY, SIGNING_KEY or VERIFICATION_KEYS is missing."
    assert variables_in(line) == {"SECRET_KEY", "SIGNING_KEY", "VERIFICATION_KEYS"}


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("COLOUUR", "COLOUR"),
        ("COLOURS", "COLOUR"),
        ("colour", "COLOUR"),
        ("PASWORD", "PASSWORD"),
        ("PASSWORD_FIEL", "PASSWORD_FILE"),
        ("SECRET_DIR", "SECRETS_DIR"),
    ],
)
def test_a_misspelt_variable_is_told(
    wrong: str, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = list(Settings.variables())
    expected = f"{wrong}: unknown; do you mean {right}?"
    assert list(misspelt(known, {wrong: "canary"})) == [expected]
    monkeypatch.setenv(wrong, "canary")
    assert expected in list(misspelt(known))


def test_variables_of_others_are_none_of_our_business() -> None:
    environ = dict.fromkeys(["USER", "PATH", "HOME", "ORTHANC_NAME", "COLOUR"], "")
    assert list(misspelt([*Settings.variables(), "USERS"], environ)) == []
