"""The deployment's files: compose, Orthanc's and nginx's configuration, the image.

No container engine is needed: docker-compose reads the files.
"""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import packages_distributions
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from demo.nginx import MAIN, command, placeholders, render
from orthanc_share.config.values import Networks
from tests.support.compose import (
    OURS,
    ROOT,
    base,
    compose,
    dockerfile,
    image_environment,
    raw,
    secret_folder,
    secrets_of,
)
from tests.support.real import require

__all__ = ["base", "secret_folder"]  # fixtures

OVERLAYS = ("tls", "api", "meddream")
VARIABLES = {
    "PUBLIC_HOST": "share.example.org",
    "MEDDREAM_TOKEN_PASSWORD": "from-the-environment",
    "MEDDREAM_ADMIN_PASSWORD": "from-the-environment",
    "MEDDREAM_ORTHANC_PASSWORD": "from-the-environment",
}
NOT_OURS_TO_HARDEN = {"ohif", "meddream-viewer", "meddream-token-service"}
"""Images that may write to themselves; none of them holds a secret of ours."""

READERS = ("orthanc-for-shares", "orthanc-for-anon-shares", "orthanc-for-meddream")


@pytest.fixture(scope="module")
def everything() -> dict[str, Any]:
    return compose(*OVERLAYS, **VARIABLES)


def neighbours(document: Mapping[str, Any], name: str) -> set[str]:
    """Return the services that share a network with `name`."""
    services = document["services"]
    mine = services[name]["networks"].keys()
    return {
        other
        for other, service in services.items()
        if other != name and mine & service["networks"].keys()
    }


def orthanc_configuration(name: str) -> dict[str, Any]:
    """Return the configuration file of one of the Orthancs."""
    path = ROOT / "demo" / "orthanc" / f"{name}.json"
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document


# --- the compose files


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_docker_compose_accepts_every_overlay(overlay: str) -> None:
    assert compose(overlay, **VARIABLES)["services"].keys() >= set(OURS)


def test_an_overlay_asks_for_what_it_cannot_do_without() -> None:
    for overlay, variable in (("tls", "PUBLIC_HOST"), ("meddream", "MEDDREAM_")):
        with pytest.raises(AssertionError, match=variable):
            compose(overlay)


def test_only_nginx_has_a_port_outside(everything: dict[str, Any]) -> None:
    published = {n for n, s in everything["services"].items() if s.get("ports")}
    assert published == {"nginx"}


def test_without_tls_the_port_is_open_on_this_machine_only(
    base: dict[str, Any],
) -> None:
    ports = base["services"]["nginx"]["ports"]
    assert ports == ["127.0.0.1:8080:8080/tcp"]


def test_nobody_is_privileged(everything: dict[str, Any]) -> None:
    for service in everything["services"].values():
        assert not {"privileged", "devices", "pid", "ipc", "network_mode"} & set(
            service
        )
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "docker.sock" not in str(service.get("volumes"))


def test_services_cannot_write_to_themselves(everything: dict[str, Any]) -> None:
    for name, service in everything["services"].items():
        if name in NOT_OURS_TO_HARDEN:
            assert not secrets_of(service)
            continue
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert service["user"].split(":")[0] not in {"", "0", "root"}, name


def test_images_are_pinned_by_a_tag(everything: dict[str, Any]) -> None:
    images = {service["image"] for service in everything["services"].values()}
    for image in images:
        _, _, tag = image.partition(":")
        assert re.search(r"\d", tag), image
        assert "@" not in image
    assert images >= {
        "orthancteam/orthanc:26.4.0",
        "orthancteam/ohif-v3:26.4.0",
        "orthancteam/meddream-token-service:26.4.0",
        "orthancteam/meddream-viewer:26.4.0",
        "postgres:18",
    }


def test_one_image_serves_all_three_services(base: dict[str, Any]) -> None:
    services = [base["services"][name] for name in OURS]
    assert len({service["image"] for service in services}) == 1
    assert [service["command"] for service in services] == [
        ["serve", name] for name in OURS
    ]


@pytest.mark.parametrize("name", ["", *(f".{overlay}" for overlay in OVERLAYS)])
def test_no_file_holds_a_secret(name: str) -> None:
    secret = re.compile(r"PASSWORD|PWD|SECRET|KEY|USERS")
    public = {"POSTGRES_PASSWORD_FILE", "PROXY_TLS_KEY"}
    for service in raw(f"docker-compose{name}.yml")["services"].values():
        for variable, value in (service.get("environment") or {}).items():
            if secret.search(variable) and variable not in public:
                assert re.search(r"\$\{[A-Z_]+:\?", value), variable


def test_only_token_service_can_make_links(everything: dict[str, Any]) -> None:
    services = everything["services"]
    assert {n for n, s in services.items() if "SIGNING_KEY" in secrets_of(s)} == {
        "token-service"
    }
    assert {n for n, s in services.items() if "USERS" in secrets_of(s)} == {
        "token-service"
    }
    public = {"VERIFICATION_KEYS", "DEIDENTIFICATION_KEY"}
    assert set(secrets_of(services["landing"])) == {
        *public,
        "TOKEN_SERVICE_PASSWORD_FOR_LANDING",
    }
    assert set(secrets_of(services["anonymizer"])) == {
        *public,
        "ORTHANC_PASSWORD",
        "TOKEN_SERVICE_PASSWORD_FOR_ANONYMIZER",
    }


def test_only_token_service_keeps_the_registry(everything: dict[str, Any]) -> None:
    services = everything["services"]
    keepers = {
        name
        for name, service in services.items()
        if any(str(v).startswith("registry:") for v in service.get("volumes", ()))
    }
    assert keepers == {"token-service"}
    service = services["token-service"]
    (volume,) = service["volumes"]
    _, folder, *access = volume.split(":")
    assert folder == service["environment"]["DATA_DIR"]
    assert access in ([], ["rw"])
    # The volume gets the owner of the image's folder, who is also who writes.
    assert f"--owner={service['user'].split(':')[0]}" in " ".join(dockerfile("RUN"))
    assert dockerfile("WORKDIR")[-1] == folder


def test_what_faces_the_public_asks_token_service_with_a_user_of_its_own(
    base: dict[str, Any], secret_folder: Path
) -> None:
    users = json.loads((secret_folder / "USERS").read_text())
    for name in ("landing", "anonymizer"):
        service = base["services"][name]
        environment = service["environment"]
        assert environment["TOKEN_SERVICE_URL"] == "http://token-service:8000/"
        assert environment["TOKEN_SERVICE_USER"] == name
        (source,) = (
            source
            for source, target in secrets_of(service).items()
            if target == "TOKEN_SERVICE_PASSWORD"
        )
        assert users[name] == (secret_folder / source).read_text().strip()
        assert "links" in service["networks"]
    on_its_network = {
        n for n, s in base["services"].items() if "links" in s["networks"]
    }
    assert on_its_network == {"token-service", "landing", "anonymizer"}


def test_landing_believes_nginx_about_addresses(base: dict[str, Any]) -> None:
    environment = base["services"]["landing"]["environment"]
    trusted = TypeAdapter(Networks).validate_python(environment["TRUSTED_PROXIES"])
    # What container engines give to their networks.
    for address in ("172.18.0.2", "192.168.96.3", "10.89.0.4", "fd12::5"):
        assert any(ip_address(address) in network for network in trusted)
    assert not any(ip_address("198.51.100.7") in network for network in trusted)


def test_nginx_reaches_no_more_than_it_shows(base: dict[str, Any]) -> None:
    assert neighbours(base, "nginx") == {
        "landing",
        "anonymizer",
        "ohif",
        "orthanc-for-admin",
        "orthanc-for-shares",
    }
    assert "token-service" in neighbours(compose("api"), "nginx")


def test_only_the_anonymizer_reaches_orthanc_behind_it(base: dict[str, Any]) -> None:
    callers = neighbours(base, "orthanc-for-anon-shares")
    on_its_network = {
        name for name in callers if "anonymized" in base["services"][name]["networks"]
    }
    assert on_its_network == {"anonymizer"}
    assert not {"nginx", "landing", "ohif", "token-service"} & callers


def test_only_orthancs_reach_the_database(everything: dict[str, Any]) -> None:
    assert all(n.startswith("orthanc-") for n in neighbours(everything, "postgres"))


def test_nothing_but_nginx_has_a_way_out(everything: dict[str, Any]) -> None:
    networks = everything["networks"]
    open_ones = {n for n, network in networks.items() if not network.get("internal")}
    assert open_ones == {"edge"}
    outside = {n for n, s in everything["services"].items() if "edge" in s["networks"]}
    assert outside == {"nginx"}


def test_readers_cannot_write_to_the_images(everything: dict[str, Any]) -> None:
    for name in READERS:
        volumes = everything["services"][name]["volumes"]
        assert "orthanc-storage:/var/lib/orthanc:ro" in volumes
        configuration = orthanc_configuration(name)
        assert configuration["ReadOnly"] is True
        assert configuration["SaveJobs"] is False
        assert configuration["DicomServerEnabled"] is False


def test_orthanc_starts_on_a_read_only_root(everything: dict[str, Any]) -> None:
    for name in ("orthanc-for-admin", *READERS):
        service = everything["services"][name]
        mounts = dict(entry.split(":") for entry in service["tmpfs"])
        assert "/tmp" in mounts  # noqa: S108 - in the container
        # Plugins are copied there and mapped as programs.
        assert "exec" in mounts["/run/orthanc/plugins"].split(",")
        assert service["environment"]["GENERATE_HOST_ID_IF_MISSING"] == "false"
        assert service["user"].split(":")[0] == "999"


# --- Orthanc's side


def test_the_plugin_asks_about_everything_at_the_level_of_studies() -> None:
    name = "orthanc-for-shares"
    section = orthanc_configuration(name)["Authorization"]
    # With the root address a profile address is set too, and GET /dicom-web/studies
    # shows a token's own studies only.
    assert section["WebServiceRootUrl"] == "http://token-service:8000/"
    assert section["CheckedLevel"] == "studies"
    assert section["WebServiceIdentifier"] == name


def test_orthanc_and_our_services_agree(
    base: dict[str, Any], secret_folder: Path
) -> None:
    users = json.loads((secret_folder / "USERS").read_text())
    for name in ("orthanc-for-admin", "orthanc-for-shares"):
        section = orthanc_configuration(name)["Authorization"]
        targets = secrets_of(base["services"][name])
        (source,) = (
            source
            for source, target in targets.items()
            if target == "ORTHANC__AUTHORIZATION__WEB_SERVICE_PASSWORD"
        )
        password = (secret_folder / source).read_text().strip()
        assert users[section["WebServiceUsername"]] == password
        assert targets["POSTGRES_PASSWORD"] == "ORTHANC__POSTGRESQL__PASSWORD"
        assert "WebServicePassword" not in section
        assert "Password" not in orthanc_configuration(name)["PostgreSQL"]
    environment = base["services"]["token-service"]["environment"]
    assert environment["SERVER_IDENTIFIER"] == "orthanc-for-shares"
    assert environment["ANONYMIZED_SERVER_IDENTIFIER"] == "orthanc-for-anon-shares"


def test_only_the_anonymizer_knows_the_password_of_orthanc_behind_it(
    everything: dict[str, Any], secret_folder: Path
) -> None:
    configuration = orthanc_configuration("orthanc-for-anon-shares")
    assert configuration["AuthenticationEnabled"] is True
    assert "Authorization" not in configuration
    assert configuration["DicomWeb"]["Enable"] is True
    services = everything["services"]
    own = secrets_of(services["orthanc-for-anon-shares"])
    own_users = "ORTHANC_USERS_FOR_ANON_SHARES"
    assert own[own_users] == "ORTHANC__REGISTERED_USERS"
    anonymizer = services["anonymizer"]
    assert secrets_of(anonymizer)["ORTHANC_PASSWORD"] == "ORTHANC_PASSWORD"
    password = (secret_folder / "ORTHANC_PASSWORD").read_text().strip()
    users = json.loads((secret_folder / "ORTHANC_USERS_FOR_ANON_SHARES").read_text())
    assert users == {anonymizer["environment"]["ORTHANC_USERNAME"]: password}
    holders = {
        name
        for name, service in services.items()
        if {"ORTHANC_PASSWORD", own_users} & secrets_of(service).keys()
    }
    assert holders == {"anonymizer", "orthanc-for-anon-shares"}


def test_staff_see_the_share_button_and_log_in() -> None:
    admin = orthanc_configuration("orthanc-for-admin")
    assert admin["AuthenticationEnabled"] is True
    assert admin["OrthancExplorer2"]["UiOptions"]["EnableShares"] is True
    section = admin["Authorization"]
    assert section["WebServiceTokenCreationBaseUrl"].endswith("/tokens/")
    # Anything more would ask token-service what staff may do.
    assert section.keys() == {"WebServiceTokenCreationBaseUrl", "WebServiceUsername"}


def test_bulk_data_is_found_where_the_viewers_are() -> None:
    for name, path in (("admin", "/orthanc-admin"), ("shares", "/shares")):
        section = orthanc_configuration(f"orthanc-for-{name}")["DicomWeb"]
        assert section["PublicRoot"] == f"{path}/dicom-web/"


# --- nginx's side


@pytest.mark.parametrize("overlays", [(), OVERLAYS], ids=["plain", "with everything"])
def test_nginx_takes_what_compose_gives_it(
    overlays: tuple[str, ...], tmp_path: Path
) -> None:
    environment = compose(*overlays, **VARIABLES)["services"]["nginx"]["environment"]
    values = {n: v for n, v in environment.items() if n.startswith("PROXY_")}
    assert values.keys() == placeholders()
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *(str(require("openssl")), "req", "-x509", "-newkey", "ed25519", "-nodes"),
            *("-subj", "/CN=x", "-out", str(certificate), "-keyout", str(key)),
        ],
        check=True,
        capture_output=True,
    )
    here = {
        "PROXY_ACCESS_LOG": str(tmp_path / "access.log"),
        "PROXY_TEMPORARY_FOLDER": str(tmp_path),
        "PROXY_TLS_CERTIFICATE": str(certificate),
        "PROXY_TLS_KEY": str(key),
    }
    file = render({**values, **here}, tmp_path)
    test = [*command(str(require("nginx")), file), "-t"]
    done = subprocess.run(test, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def test_the_container_s_entry_point_renders_the_same(
    base: dict[str, Any], tmp_path: Path
) -> None:
    environment = base["services"]["nginx"]["environment"]
    values = {
        name: value
        for name, value in environment.items()
        if re.search(environment["NGINX_ENVSUBST_FILTER"], name)
    }
    render(values, tmp_path)
    service = base["services"]["nginx"]
    assert f"{environment['NGINX_ENVSUBST_OUTPUT_DIR']}/{MAIN}" in service["command"]
    for template in (ROOT / "demo" / "nginx" / "templates").iterdir():
        done = subprocess.run(
            [str(require("envsubst")), " ".join(f"${{{name}}}" for name in values)],
            input=template.read_text("utf-8"),
            env=values,
            capture_output=True,
            check=True,
            text=True,
        )
        assert done.stdout == (tmp_path / template.stem).read_text("utf-8")


def test_every_secret_has_an_example_and_every_example_a_use(
    everything: dict[str, Any], secret_folder: Path
) -> None:
    examples = {path.name for path in (ROOT / "secrets.example").iterdir()}
    assert examples == set(everything["secrets"])
    made = {path.name for path in secret_folder.iterdir()}
    assert examples - made == {"TLS_CERTIFICATE", "TLS_KEY"}


# --- the image


def test_the_image_is_pinned_and_runs_without_root() -> None:
    (python,) = dockerfile("ARG")
    assert re.fullmatch(r"PYTHON=3\.\d+-slim-bookworm", python)
    assert dockerfile("FROM") == ["python:${PYTHON} AS builder", "python:${PYTHON}"]
    assert dockerfile("USER") == ["10001:10001"]
    assert image_environment()["PYTHONDONTWRITEBYTECODE"] == "1"


def test_no_secret_and_no_test_gets_into_the_image() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    sources = " ".join(dockerfile("COPY"))
    assert let_in == {
        "pyproject.toml",
        "uv.lock",
        "README.md",
        "LICENSE",
        "shared",
        "services",
    }
    assert all(name in sources for name in let_in)


def imported() -> set[str]:
    """Return the top-level packages that our sources import."""
    names = set()
    for folder in ("shared", "services"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    names |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


def installed() -> set[str]:
    """Return the distributions that `uv sync --frozen --no-dev` installs."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
    needs = {
        package["name"]: {need["name"] for need in package.get("dependencies", ())}
        for package in lock["package"]
    }
    found: set[str] = set()
    fresh = {"orthanc-share"}
    while fresh:
        found |= fresh
        fresh = set().union(*(needs[name] for name in fresh)) - found
    return found


EXTRAS = {"pytesseract"}
"""Packages of the optional extras, which are imported only where they are asked for."""


def test_the_image_gets_every_package_that_is_imported() -> None:
    ours = {path.name for f in ("shared", "services") for path in (ROOT / f).iterdir()}
    homes = packages_distributions()
    missing = {
        package
        for package in imported() - sys.stdlib_module_names - ours - EXTRAS
        if not {home.lower().replace("_", "-") for home in homes[package]} & installed()
    }
    assert not missing
