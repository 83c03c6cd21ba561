"""The section `Authorization` is read as by the C++ plugin; mistakes are refused."""

from typing import Any

import pytest

from demo.orthanc.options import LEVELS, OptionError, read_options

ROOT = {"WebServiceRootUrl": "http://service:8000"}


@pytest.mark.parametrize("root", ["http://service:8000", "http://service:8000/"])
def test_the_root_gives_all_addresses(root: str) -> None:
    assert read_options({"WebServiceRootUrl": root}).urls == {
        "validate": "http://service:8000/tokens/validate",
        "decode": "http://service:8000/tokens/decode",
        "profile": "http://service:8000/user/get-profile",
        "create": "http://service:8000/tokens/",
    }


def test_with_an_address_for_creation_only_nothing_is_filtered() -> None:
    options = read_options({"WebServiceTokenCreationBaseUrl": "http://s/tokens/"})
    assert options.urls == {"create": "http://s/tokens/"}
    assert not options.filters


@pytest.mark.parametrize(
    "option", ["WebServiceTokenValidationUrl", "WebServiceUserProfileUrl"]
)
def test_an_address_for_validation_or_profiles_switches_the_filter_on(
    option: str,
) -> None:
    assert read_options({option: "https://s/x"}).filters


def test_names_of_tokens_come_from_options_and_standard_configurations() -> None:
    options = read_options(
        {
            **ROOT,
            "TokenHttpHeaders": ["api-key"],
            "StandardConfigurations": ["ohif", "osimis-web-viewer"],
            "UncheckedFolders": ["/static/"],
            "UncheckedResources": ["/x"],
        }
    )
    assert options.headers == ("Authorization", "api-key", "token")
    assert options.arguments == ("token",)
    assert {"/static/", "/ohif/", "/osimis-viewer/app/"} < set(options.folders)
    assert options.resources == {"/x", "/osimis-viewer/config.js"}


def test_all_levels_are_checked_unless_one_is_chosen() -> None:
    assert read_options(ROOT).checked_levels == set(LEVELS)
    chosen = read_options({**ROOT, "CheckedLevel": "studies"})
    assert chosen.checked_levels == {"study"}


def test_the_login_is_read_and_not_shown() -> None:
    section = {**ROOT, "WebServiceUsername": "u", "WebServicePassword": "hush"}
    options = read_options({**section, "WebServiceIdentifier": "site-a"})
    assert options.login == ("u", "hush")
    assert options.identifier == "site-a"
    assert "hush" not in repr(options)


@pytest.mark.parametrize(
    "section",
    [
        {},
        {"WebServiceRootUrl": 1},
        {"WebServiceRootUrl": "service:8000"},
        {**ROOT, "WebServiceTokenDecoderUrl": "http://s/decode"},
        {**ROOT, "WebServiceUsername": "u"},
        {**ROOT, "WebServicePassword": "p"},
        {**ROOT, "CheckedLevel": "study"},
        {**ROOT, "StandardConfigurations": ["ohyf"]},
        {**ROOT, "TokenHttpHeaders": "token"},
        {**ROOT, "TokenHttpHeaders": [1]},
    ],
)
def test_a_mistake_is_refused(section: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        read_options(section)
