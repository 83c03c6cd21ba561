"""Whole answers are searched, and unkeyed digests are known for what they are."""

import hashlib

import pytest

from suite.leaktest.needles import Kind, Needle
from suite.leaktest.scan import Answer, Scanner

PATIENT = Needle("QZPATIENT", Kind.TEXT, "PatientID")
SCANNER = Scanner([PATIENT], [PATIENT])


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, "No QZPATIENT"),
        Answer(200, "OK", [("X-Name", "qzpatient")]),
        Answer(200, "OK", [("QZPATIENT", "x")]),
        Answer(200, "OK", [("Content-Disposition", "a%51ZPATIENT")]),
        Answer(200, "OK", [], b"..QZPATIENT.."),
    ],
)
def test_every_part_of_an_answer_is_searched(answer: Answer) -> None:
    assert [found.needle for found in SCANNER.scan(answer)] == [PATIENT]


def test_a_value_is_reported_once_with_its_place() -> None:
    (found,) = SCANNER.scan(Answer(200, "OK", [], b'["QZPATIENT", "QZPATIENT"]'))
    assert found.where == "body"


def test_the_text_of_a_finding_holds_no_value() -> None:
    (found,) = SCANNER.scan(Answer(200, "OK", [], b"QZPATIENT"))
    assert "QZPATIENT" not in repr(found)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_unkeyed_digests_are_found(algorithm: str) -> None:
    digest = hashlib.new(algorithm, PATIENT.value.encode()).digest()
    orthanc_id = "-".join(digest.hex()[n : n + 8] for n in range(0, 32, 8))
    uid = f"2.25.{int.from_bytes(digest[:16], 'big')}"
    for text in (digest.hex(), digest.hex()[:16], orthanc_id, uid):
        (found,) = SCANNER.scan_bytes(f"<{text}>".encode())
        assert found.needle.kind is Kind.DIGEST
        assert found.needle.source == f"{algorithm} of PatientID"


def test_random_ids_are_no_digests() -> None:
    assert not SCANNER.scan_bytes(b"0123456789abcdef0123456789abcdef 2.25." + b"7" * 38)


def test_a_header_is_read_whatever_its_case() -> None:
    answer = Answer(200, "OK", [("Content-Type", "a/b")])
    assert answer.header("content-type") == "a/b"
    assert not answer.header("ETag")
    assert SCANNER.needles == (PATIENT,)
