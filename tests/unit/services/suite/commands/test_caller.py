"""Which token-service is asked, and as whom."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typing_extensions import override

from suite.commands.caller import CallerSettings
from tests.support.site import certificate
from tests.unit.services.suite.commands.calling import call, refused

__all__ = ["certificate"]

WRONG_LOGIN = "token-service does not accept this user and password.\n"


class Refusing(BaseHTTPRequestHandler):
    """A token-service to which nobody has a login."""

    def do_GET(self) -> None:
        """Refuse."""
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of tests clean."""


@contextmanager
def listening(context: ssl.SSLContext) -> Iterator[str]:
    """Run a server with TLS; give its address."""
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_the_certificate_of_a_site_of_its_own_is_trusted_if_it_is_given(
    certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with listening(context) as address:
        monkeypatch.setenv("ORTHANC_SHARE_URL", address)
        assert refused("share", "list") == "token-service cannot be reached.\n"
        monkeypatch.setenv("ORTHANC_SHARE_CA_FILE", certificate[0])
        assert refused("share", "list") == WRONG_LOGIN


def test_the_usual_certificates_stay_trusted(certificate: tuple[str, str]) -> None:
    usual = ssl.create_default_context().cert_store_stats()["x509"]
    pem = Path(certificate[0]).read_text("ascii")
    context = CallerSettings(orthanc_share_ca=f"subject=O=Universität\n{pem}").tls()
    assert context is not None
    assert context.cert_store_stats()["x509"] == usual + 1
    assert CallerSettings().tls() is None


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"ORTHANC_SHARE_USER": "ja:ne", "ORTHANC_SHARE_PASSWORD": "canary"},
            "ORTHANC_SHARE_USER: HTTP Basic cannot carry a colon.\n",
        ),
        (
            {"ORTHANC_SHARE_PASSWORD": "canary"},
            "ORTHANC_SHARE_USER is missing: there is a password.\n",
        ),
        (
            {"ORTHANC_SHARE_CA": "canary"},
            "ORTHANC_SHARE_CA: holds no certificate in PEM.\n",
        ),
        (
            {
                "ORTHANC_SHARE_CA": "-----BEGIN CERTIFICATE-----\ncanary\n"
                "-----END CERTIFICATE-----\n"
            },
            "ORTHANC_SHARE_CA: holds no certificate in PEM.\n",
        ),
        (
            {"ORTHANC_SHARE_CA": "cänary"},
            "ORTHANC_SHARE_CA: holds no certificate in PEM.\n",
        ),
    ],
)
def test_settings_that_cannot_be_meant_are_told(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert refused("share", "list") == expected


# Somebody sits at a terminal: what is typed comes by the runner, secrets as well.


@pytest.fixture
def _seated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORTHANC_SHARE_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("suite.commands.caller.has_terminal", lambda: True)


@pytest.mark.usefixtures("_seated")
@pytest.mark.parametrize(
    ("user", "typed", "questions"),
    [
        (None, "\n", ["User of token-service (none: just Enter):"]),
        (None, "jane\npW7\n", ["User of token-service", "Password of jane:"]),
        ("john", "pW7\n", ["Password of john:"]),
    ],
)
def test_only_what_is_missing_is_asked_for(
    user: str | None,
    typed: str,
    questions: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if user is not None:
        monkeypatch.setenv("ORTHANC_SHARE_USER", user)
    result = call("share", "list", given=typed)
    assert result.stdout.strip() == ""  # the runner ends a secret's line there
    assert [one for one in questions if one not in result.stderr] == []
    assert ("Password" in result.stderr) is ("pW7" in typed)
    assert "pW7" not in result.stderr
    assert result.stderr.endswith("token-service cannot be reached.\n")


@pytest.mark.usefixtures("_seated")
def test_who_is_known_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORTHANC_SHARE_USER", "jane")
    monkeypatch.setenv("ORTHANC_SHARE_PASSWORD", "pW7")
    assert refused("share", "list") == "token-service cannot be reached.\n"
