"""What the documentation promises of settings and secrets."""

import re
from pathlib import Path

from suite.app import SETTINGS
from suite.settings_table import table

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SECRETS = ROOT / "secrets.example"

NOT_IN_COMPOSE = {
    "AUDIT_KEY",
    "DATABASE_URL",
    "EMAILS_SMTP_SERVER_PWD",
    "NOTIFY_KEY",
    "SECRET_KEY",
    "SECRET_KEYS_RETIRED",
    "TOKEN_SERVICE_PASSWORD",
}
"""Secrets without an example: the compose file, whose secrets those are, needs none."""

_TABLE = re.compile(r"<!-- settings:begin -->\n(.*?)<!-- settings:end -->", re.DOTALL)


def shown_table() -> str:
    found = _TABLE.findall(README.read_text("utf-8"))
    assert len(found) == 1
    text: str = found[0]
    return text.strip()


def test_every_setting_has_a_line_in_the_readme() -> None:
    lines = shown_table().splitlines()[2:]
    told = {
        name for line in lines for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    settings = {name for kind in SETTINGS.values() for name in kind.variables()}
    assert told == settings


def test_the_readme_holds_the_table_that_the_code_makes() -> None:
    # Else: python -m suite.settings_table
    assert shown_table() == table()


def test_every_secret_has_an_example() -> None:
    secrets = {
        name.upper()
        for kind in SETTINGS.values()
        for name, field in kind.model_fields.items()
        if "Secret" in str(field.annotation)
    }
    examples = {file.name for file in SECRETS.iterdir()}
    assert secrets - examples == NOT_IN_COMPOSE


def test_no_example_can_be_taken_for_a_secret() -> None:
    for file in SECRETS.iterdir():
        assert "change-me" in file.read_text("utf-8"), file.name
