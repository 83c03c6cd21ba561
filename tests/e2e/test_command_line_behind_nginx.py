"""The command line from outside, through the deployment's nginx, with real services."""

import json
from pathlib import Path

import pytest

from tests.support.managed import managed
from tests.support.nginx import running_nginx
from tests.support.settings import USER
from tests.unit.services.suite.commands.calling import call, process

STUDY = "1.2.276.0.99.1"


def printed(*arguments: str) -> str:
    """Return what a command prints that does what it should."""
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_everything_that_asks_token_service_works_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        managed(tmp_path) as site,
        running_nginx(
            tmp_path,
            token_service=site.service.base.removeprefix("http://"),
            expose_token_service="on",
        ) as nginx,
    ):
        monkeypatch.setenv("ORTHANC_SHARE_URL", f"{nginx.url}token-service/")
        monkeypatch.setenv("ORTHANC_SHARE_USER", USER[0])
        monkeypatch.setenv("ORTHANC_SHARE_PASSWORD", USER[1])
        made = json.loads(printed("share", "create", STUDY, "--json", "--for", "2d"))
        share = made["share-id"]
        printed("share", "extend", share, "--for", "3d")
        assert json.loads(printed("share", "list", "--json"))["id"] == share
        printed("share", "revoke", share, "--reason", "over")
        shown = json.loads(printed("share", "show", share, "--json"))
        assert shown["share"]["status"] == "revoked"
        assert printed("share", "revoke", "--study", STUDY, "--yes") == "Revoked: 0.\n"
        happened = [json.loads(one) for one in printed("audit", "export").splitlines()]
        kinds = [one["event"] for one in happened]
        assert kinds == ["created", "changed", "revoked"]
        ended = process("audit", "verify")  # as a person would, in a process
        assert (ended.status, ended.stdout[:17]) == (0, "Intact: 3 events.")
        assert made["url"].rpartition("=")[2] not in nginx.access_log
