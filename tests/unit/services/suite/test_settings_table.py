"""The table of settings."""

import runpy

import pytest

from suite.app import SETTINGS
from suite.settings_table import HEADER, rows, table

ROWS = {row.split("`")[1]: row for row in rows()}


def test_every_setting_of_every_service_has_one_row() -> None:
    fields = [
        field.upper() for kind in SETTINGS.values() for field in kind.model_fields
    ]
    assert list(ROWS) == list(dict.fromkeys(fields))
    assert len(list(rows())) == len(ROWS)
    assert table().splitlines() == [*HEADER.splitlines(), *rows()]


def test_every_row_has_four_cells_and_says_what_for() -> None:
    for row in rows():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 4
        assert cells[0]
        assert cells[1]
        assert cells[3]


@pytest.mark.parametrize(
    ("name", "services", "default"),
    [
        ("LOG_LEVEL", "all", "`info`"),
        ("METRICS", "all", "`false`"),
        ("SECRET_KEY", "all", ""),
        ("SHARE_TYPES", "all", ""),
        ("OHIF_DATA_SOURCE", "all", "`dicom-web`"),
        ("MEDDREAM_TIMEOUT", "all", "`4.0`"),
        ("DECISION_VALIDITY", "token-service", "`60s`"),
        ("SITE_TIMEZONE", "landing", "`UTC`"),
        ("EMAILS_TEMPLATES_ROOT", "token-service", "`/email-templates`"),
    ],
)
def test_a_row_tells_services_and_default(
    name: str, services: str, default: str
) -> None:
    assert f" | {services} | {default} | " in ROWS[name]


def test_other_names_are_told_as_well() -> None:
    assert ROWS["SERVER_IDENTIFIER"].startswith("| `SERVER_IDENTIFIER`, `SERVER_ID` |")


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
def test_the_module_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_module("suite.settings_table", run_name="__main__")
    assert capsys.readouterr().out == table() + "\n"
