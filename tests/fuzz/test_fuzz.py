"""A short run of the fuzzer; `python -m tests.fuzz` makes a long one."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orthanc_share.deidentification.dicom_json import encode
from tests.fuzz.__main__ import CORPUS, MEMORY_MAX, main
from tests.fuzz.case import Case
from tests.fuzz.documents import DOCUMENTS
from tests.fuzz.json_target import json_case, judge_json
from tests.fuzz.seeds import SECRET, SEEDS, Seed
from tests.fuzz.targets import byte_case, judge_bytes

RUNS = 3000


@pytest.mark.parametrize("make", [byte_case, json_case])
def test_damaged_inputs_are_refused_or_come_out_clean(
    make: Callable[[random.Random], Case],
) -> None:
    chance = random.Random(20)  # noqa: S311  # not for secrets
    outcomes = {make(chance).judge() for _ in range(RUNS)}
    assert outcomes == {True, False}


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_the_seeds_themselves_are_accepted(seed: Seed) -> None:
    # Or all that is tried would be refused at once.
    assert judge_bytes(seed, seed.data)
    assert judge_bytes(seed, seed.data, 3)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_documents_themselves_are_accepted(document: list[dict[str, Any]]) -> None:
    assert judge_json(encode(document))


@pytest.mark.parametrize(
    "path", sorted(CORPUS.glob("*__*")), ids=lambda path: path.name
)
def test_what_was_found_once_is_never_found_again(path: Path) -> None:
    name = path.name.partition("__")[0].replace("_", " ")
    if name.startswith("JSON"):
        judge_json(path.read_bytes())
        return
    (seed,) = [one for one in SEEDS if one.name == name]
    judge_bytes(seed, path.read_bytes())


def test_a_finding_is_reported_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_chance: random.Random) -> Case:
        return Case("a seed", SECRET, lambda: judge_bytes(SEEDS[-1], None))  # type: ignore[arg-type]

    monkeypatch.setitem(main.__globals__["TARGETS"], "bytes", broken)
    # Not this process's memory, in which other tests have run before.
    assert main(["--runs", "2", "--keep", str(tmp_path)], lambda: MEMORY_MAX) == 2
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == SECRET
    assert "2 findings" in capsys.readouterr().out


def test_too_much_memory_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--runs", "1"], lambda: MEMORY_MAX) == 0
    assert "More memory" not in capsys.readouterr().out
    assert main(["--runs", "1"], lambda: MEMORY_MAX + 1) == 1
    assert "More memory than 256 MiB." in capsys.readouterr().out
