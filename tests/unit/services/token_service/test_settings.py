"""Settings of token-service: what stops it, what it warns of, what follows."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import argon2
import pytest
from pydantic import SecretStr

from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.domain.lifetime import LifetimePolicy
from orthanc_share.store.records import Retention
from orthanc_share.upstream.mail_options import TlsMode
from tests.support.settings import SECRET_KEY, token_service_settings
from token_service.app import create_app
from token_service.registering import longest_validity
from token_service.settings import TokenServiceSettings

GOOD = {"SECRET_KEY": SECRET_KEY, "USERS": '{"plugin": "pW7-rT2-xK9"}'}
MAIL = {
    "ENABLE_EMAILS": "true",
    "EMAILS_SENDER_ADDRESS": "Hospital <images@hospital.example.org>",
    "EMAILS_SMTP_SERVER_HOSTNAME": "mail.example.org",
}
HASH = argon2.PasswordHasher(time_cost=1, memory_cost=64).hash("pW7-rT2-xK9")


def problems(environ: Mapping[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as refused:
        TokenServiceSettings.load(environ)
    return refused.value.problems


def test_good_settings_have_no_mistake_and_no_warning() -> None:
    settings = TokenServiceSettings.load(GOOD)
    assert list(settings.warnings()) == []
    assert settings.lifetime_policy() == LifetimePolicy()
    assert settings.decision_validity == timedelta(seconds=60)


def test_lifetimes_are_those_of_the_settings() -> None:
    durations = {
        "DEFAULT_SHARE_DURATION": "15d",
        "MAX_SHARE_DURATION": "30d",
        "ALLOW_UNLIMITED_SHARES": "false",
    }
    policy = TokenServiceSettings.load(GOOD | durations).lifetime_policy()
    assert policy == LifetimePolicy(
        timedelta(days=15), timedelta(days=30), allow_unlimited=False
    )


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"USERS": ""}, "USERS"),
        ({"USERS": "{}"}, "USERS"),
        ({"ALLOW_UNAUTHENTICATED": "true"}, "ALLOW_UNAUTHENTICATED"),
        ({"USERS": '{"plugin": "change-me"}'}, "USERS"),
        ({"USERS": '{"a": "pW7-rT2-xK9", "b": "Password"}'}, "USERS"),
        ({"USERS": f'{{"plugin": "{HASH[:-12]}$$"}}'}, "USERS"),
        (
            {"DEFAULT_SHARE_DURATION": "31d", "MAX_SHARE_DURATION": "30d"},
            "DEFAULT_SHARE_DURATION",
        ),
        ({"DEFAULT_SHARE_DURATION": "0"}, "DEFAULT_SHARE_DURATION"),
        ({"MAX_SHARE_DURATION": "0"}, "MAX_SHARE_DURATION"),
        ({"DECISION_VALIDITY": "0"}, "DECISION_VALIDITY"),
        ({"DECISION_VALIDITY": "2d"}, "DECISION_VALIDITY"),
    ],
)
def test_a_mistake_stops_the_start_and_is_named(
    changes: dict[str, str], named: str
) -> None:
    found = problems(GOOD | changes)
    assert len(found) == 1
    assert found[0].startswith(named)
    assert "pW7-rT2-xK9" not in found[0]
    assert HASH[:20] not in found[0]


def test_a_hash_is_no_sample_and_no_damage() -> None:
    users = {"USERS": f'{{"plugin": "{HASH}"}}'}
    assert TokenServiceSettings.load(GOOD | users).users is not None


def test_one_of_the_two_lifetimes_alone_is_no_contradiction() -> None:
    for name in ("DEFAULT_SHARE_DURATION", "MAX_SHARE_DURATION"):
        TokenServiceSettings.load(GOOD | {name: "30d"})


def test_a_service_without_login_is_possible_and_warned_of() -> None:
    environ = {"SECRET_KEY": SECRET_KEY, "ALLOW_UNAUTHENTICATED": "true"}
    settings = TokenServiceSettings.load(environ)
    assert any("EVERYBODY" in line for line in settings.warnings())


@pytest.mark.parametrize(
    "name", ["PERMISSIONS_FILE_PATH", "ANONYMOUS_PROFILE_FILE_PATH"]
)
def test_a_file_that_cannot_be_read_stops_the_start(name: str) -> None:
    (line,) = problems(GOOD | {name: "/nowhere/file.json"})
    assert line.startswith(name)


def test_letters_are_off_and_their_settings_do_not_count() -> None:
    ignored = {"EMAILS_SMTP_SERVER_USES_TLS": "perhaps"}
    assert TokenServiceSettings.load(GOOD | ignored).enable_emails is False


def test_the_mail_server_is_that_of_the_settings(tmp_path: Path) -> None:
    further = {
        "EMAILS_SMTP_SERVER_PORT": "2525",
        "EMAILS_SMTP_SERVER_USES_TLS": "implicit",
        "EMAILS_SMTP_SERVER_USER_NAME": "images",
        "EMAILS_SMTP_SERVER_PWD": "pW7-rT2-xK9",
        "EMAILS_REPLY_TO": "office@hospital.example.org",
        "EMAILS_ALLOWED_DOMAINS": "Example.ORG, example.com",
        "EMAILS_TEMPLATES_ROOT": str(tmp_path),
    }
    settings = TokenServiceSettings.load(GOOD | MAIL | further)
    options = settings.mail_options()
    assert options.host == "mail.example.org"
    assert options.port == 2525
    assert options.tls is TlsMode.IMPLICIT
    assert options.user_name == "images"
    assert options.password == "pW7-rT2-xK9"
    assert options.allowed_domains == {"example.org", "example.com"}
    assert settings.emails_templates_root == tmp_path


def test_a_mail_server_may_want_no_login(tmp_path: Path) -> None:
    given = GOOD | MAIL | {"EMAILS_TEMPLATES_ROOT": str(tmp_path)}
    options = TokenServiceSettings.load(given).mail_options()
    assert options.password is None
    assert options.tls is TlsMode.STARTTLS


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"EMAILS_SENDER_ADDRESS": ""}, "EMAILS_SENDER_ADDRESS"),
        ({"EMAILS_SMTP_SERVER_HOSTNAME": ""}, "EMAILS_SMTP_SERVER_HOSTNAME"),
        ({"EMAILS_SMTP_SERVER_USES_TLS": "perhaps"}, "EMAILS_SMTP_SERVER_USES_TLS"),
        ({"EMAILS_SMTP_SERVER_PORT": "x"}, "EMAILS_SMTP_SERVER_PORT"),
        ({"EMAILS_SENDER_ADDRESS": "no address"}, "EMAILS_SENDER_ADDRESS"),
        ({"EMAILS_TEMPLATES_ROOT": "/nowhere"}, "EMAILS_TEMPLATES_ROOT"),
        ({"EMAILS_SMTP_SERVER_CA": "no PEM"}, "EMAILS_SMTP_SERVER_CA"),
    ],
)
def test_a_mistake_in_the_mail_settings_stops_the_start(
    changes: dict[str, str], named: str
) -> None:
    found = problems(GOOD | MAIL | changes)
    assert [line for line in found if line.startswith(named)]


KEY = "hT5wQz8LkP2vRx9JmN4cYb7GdS1fAe6U"  # made up, for tests only


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"DATABASE_URL": "mysql://host/name"}, "DATABASE_URL"),
        ({"DATABASE_URL": "sqlite://"}, "DATABASE_URL"),
        ({"AUDIT_KEY": "short"}, "AUDIT_KEY"),
        ({"AUDIT_STUDIES": "hashed"}, "AUDIT_KEY"),
        ({"LINK_STYLE": "short"}, "LINK_STYLE"),
        (
            {
                "LINK_STYLE": "short",
                "PUBLIC_LANDING_ROOT": "https://share.example.org/landing.html",
            },
            "LINK_STYLE",
        ),
        (
            {
                "LINK_STYLE": "short",
                "REGISTRY": "off",
                "PUBLIC_LANDING_ROOT": "https://share.example.org/welcome/",
            },
            "LINK_STYLE",
        ),
        ({"REVOCATION_LAG": "0"}, "REVOCATION_LAG"),
        ({"PASSWORD_TRIES": "0"}, "PASSWORD_TRIES"),
    ],
)
def test_a_registry_that_cannot_be_stops_the_start(
    changes: dict[str, str], named: str
) -> None:
    (problem,) = problems(GOOD | changes)
    assert problem.startswith(named)


def test_a_registry_needs_no_setting_at_all() -> None:
    settings = TokenServiceSettings.load(GOOD)
    options = settings.registry_options()
    assert settings.registry
    assert options.url == "sqlite:///data/orthanc-share.sqlite"
    assert (options.audit_key, options.study_key) == (None, None)
    assert longest_validity(settings) == timedelta(seconds=60)


def test_the_registry_is_as_the_settings_say() -> None:
    chosen = {
        "DATABASE_URL": "postgresql://registry:secret@db.example.org/shares",
        "AUDIT_KEY": KEY,
        "AUDIT_STUDIES": "hashed",
        "RETENTION_OPENED": "0",
        "RETENTION_NEVER_OPENED": "2d",
        "PASSWORD_TRIES": "3",
        "REVOCATION_LAG": "10s",
    }
    settings = TokenServiceSettings.load(GOOD | chosen)
    options = settings.registry_options()
    assert options.url == chosen["DATABASE_URL"]
    assert options.audit_key == options.study_key == KEY.encode()
    assert options.retention == Retention(never_used=timedelta(days=2), used=None)
    assert options.limits.tries == 3
    assert longest_validity(settings) == timedelta(seconds=10)
    assert "secret@" not in repr(settings) + repr(options)
    assert KEY not in repr(settings) + repr(options)


def test_without_registry_a_decision_is_kept_as_long_as_it_says() -> None:
    chosen = {"REGISTRY": "off", "REVOCATION_LAG": "1s", "DECISION_VALIDITY": "90s"}
    settings = TokenServiceSettings.load(GOOD | chosen)
    assert longest_validity(settings) == timedelta(seconds=90)


def test_a_folder_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    settings = token_service_settings(registry=True, data_dir=in_the_way / "data")
    with pytest.raises(ConfigurationError, match="DATA_DIR"):
        create_app(settings)


def test_a_database_elsewhere_needs_no_folder(tmp_path: Path) -> None:
    url = SecretStr(f"sqlite:///{tmp_path / 'elsewhere.sqlite'}")
    folder = tmp_path / "data"
    create_app(token_service_settings(registry=True, data_dir=folder, database_url=url))
    assert not folder.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"NOTIFY_URL": "https://ris.example.org/opened"}, "NOTIFY_KEY is missing"),
        ({"NOTIFY_ALLOWED_HOSTS": "ris.example.org"}, "NOTIFY_KEY is missing"),
        ({"NOTIFY_KEY": "short"}, "NOTIFY_KEY is shorter than"),
        ({"NOTIFY_KEY": "whsec_*"}, "NOTIFY_KEY is no base64"),
    ],
)
def test_notices_need_a_key_that_signs(changes: dict[str, str], said: str) -> None:
    (problem,) = problems(GOOD | changes)
    assert problem.startswith(said)


def test_a_neighbour_without_login_stops_the_start() -> None:
    (problem,) = problems(GOOD | {"NEIGHBOURS": "landing"})
    assert problem.startswith("NEIGHBOURS")
    settings = TokenServiceSettings.load(GOOD | {"NEIGHBOURS": "plugin"})
    assert settings.people() == {}
