"""Every recorded question, sent to a service that keeps a registry and to one without.

What the one without answers is right by the other tests; who keeps a registry may only
answer what is documented besides.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import ROLES
from tests.support.meddream import MedDreamTokenService
from tests.support.replay import (
    RECORDINGS as RECORDINGS_FOLDER,
    Answer,
    Line,
    Study,
    case_of,
    lines,
    replay,
    study_of,
)
from tests.support.service import Service, resource, running
from tests.support.settings import PUBLIC
from tests.support.tokens import share_token

RECORDINGS = ("validate", "profile", "decode", "create", "roles", "oe2-browser")
LAG = timedelta(seconds=20)
"""The setting `REVOCATION_LAG`, shorter than any validity otherwise."""

_RANDOM = (
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"), "TOKEN"),
    (re.compile(r'"share-id":"[\w-]{22}"'), "SHARE-ID"),
    (re.compile(r"meddream(\+|%2B)[0-9]+"), "MEDDREAM"),
    (re.compile(r'"validity":[0-9]+'), "VALIDITY"),
)
_OF_ONE_ANSWER = {"date", "content-length", "x-request-id"}


@dataclass(frozen=True)
class Pair:
    """Two services that differ in nothing but the registry.

    Args:
        kept: The one with a registry.
        plain: The one without.
        tokens: Of shares that the first one made, by study.
    """

    kept: Service
    plain: Service
    tokens: dict[Study, str] = field(default_factory=dict)

    def token_of(self, study: Study) -> str:
        """Return the token of a share that is in the registry."""
        if study not in self.tokens:
            wanted = [resource(study)]
            self.tokens[study] = self.kept.token(resources=wanted)
        return self.tokens[study]


@contextmanager
def pair(folder: Path, **settings: Any) -> Iterator[Pair]:
    """Run both; each has a roles file of its own."""
    with ExitStack() as stack:

        def run(name: str, **registry: Any) -> Service:
            own = folder / name
            own.mkdir()
            (own / "roles.jsonc").write_text(ROLES)
            values = (
                settings | registry | {"permissions_file_path": own / "roles.jsonc"}
            )
            return stack.enter_context(running(**values))

        kept = run("kept", registry=True, data_dir=folder / "data", revocation_lag=LAG)
        yield Pair(kept, run("plain"))


@pytest.fixture(scope="module")
def with_login(
    tmp_path_factory: pytest.TempPathFactory, meddream: MedDreamTokenService
) -> Iterator[Pair]:
    viewers = {
        "public_meddream_root": f"{PUBLIC}/meddream/",
        "meddream_token_service_url": meddream.url,
    }
    with pair(tmp_path_factory.mktemp("login"), **viewers) as made:
        yield made


@pytest.fixture(scope="module")
def without_login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("no-login")
    with pair(folder, users=None, allow_unauthenticated=True) as made:
        yield made


def seen(answer: Answer) -> tuple[int, Mapping[str, str], str]:
    """Return what must be the same in both answers."""
    headers = {k: v for k, v in answer.headers.items() if k not in _OF_ONE_ANSWER}
    text = answer.raw.decode()
    for random, name in _RANDOM:
        text = random.sub(name, text)
    return answer.status, headers, text


def validity_of(answer: Answer) -> int:
    """Return for how many seconds a decision may be kept."""
    seconds = answer.json["validity"]
    assert isinstance(seconds, int)
    return seconds


ALL = [line for name in RECORDINGS for line in lines(name)]


@pytest.mark.parametrize("line", ALL, ids=case_of)
def test_who_keeps_a_registry_answers_as_who_keeps_none(
    line: Line, with_login: Pair, without_login: Pair
) -> None:
    asked = with_login if line.has_login else without_login
    study = study_of(line)
    for token in (asked.token_of(study), share_token(study)):
        kept = replay(asked.kept.base, line, token, "other")
        plain = replay(asked.plain.base, line, token, "other")
        assert seen(kept) == seen(plain)
        if line.path.endswith("/validate") and kept.status == 200:
            assert validity_of(kept) == min(validity_of(plain), LAG.total_seconds())


def test_what_was_made_is_in_the_registry(with_login: Pair) -> None:
    line = next(one for one in lines("create") if one.has_login)
    made = replay(with_login.kept.base, line).json
    shown = with_login.kept.call("GET", f"/shares/{made['share-id']}")
    assert shown.json["type"] == made["request"]["type"]


def test_everything_that_was_recorded_is_sent() -> None:
    recorded = {path.stem for path in RECORDINGS_FOLDER.glob("*.jsonl")}
    # How the plugin takes answers, and what the studies are, is no question.
    assert recorded - {"answers", "studies"} == set(RECORDINGS)
    assert len(ALL) >= 500
