"""The whole corpus: a patient to share, a second one, and a study before that."""

from dataclasses import dataclass
from functools import cache

from tests.support.corpus.documents import add_documents
from tests.support.corpus.hostile import add_hostile, add_tables
from tests.support.corpus.images import (
    add_blocked,
    add_burned_allowed,
    add_charsets,
    add_compressed,
    add_derived,
    add_multiframes,
)
from tests.support.corpus.sink import add_sinks
from tests.support.corpus.study import CT, Patient, Shown, image, plane


@dataclass(frozen=True)
class Corpus:
    """What is uploaded.

    Args:
        patient: Whose study is shared.
        second: Another patient, whose study is in no share.
    """

    patient: Patient
    second: Patient


@cache
def corpus() -> Corpus:
    """Return the corpus; it is the same every time."""
    patient = Patient("first patient")
    add_sinks(patient)
    add_charsets(patient)
    add_compressed(patient)
    add_multiframes(patient)
    add_derived(patient)
    add_documents(patient)
    add_hostile(patient)
    add_blocked(patient)
    add_burned_allowed(patient)
    return Corpus(patient, _second())


@cache
def small_corpus() -> Corpus:
    """Return a corpus of few images, of most kinds, but without kitchen sinks."""
    patient = Patient("first patient")
    add_blocked(patient)
    add_compressed(patient)
    add_multiframes(patient)
    add_derived(patient)
    add_tables(patient)
    # The last of its class: the one that is looked at where one is enough.
    add_charsets(patient, ["ISO_IR 100"])
    return Corpus(patient, _second())


@cache
def tiny_corpus() -> Corpus:
    """Return a corpus of one image to share, and a second patient."""
    patient = Patient("first patient")
    add_charsets(patient, ["ISO_IR 100"])
    return Corpus(patient, _second())


def _second() -> Patient:
    patient = Patient("second patient")
    for number in range(2):
        name = f"image {number}"
        layout, pixels = image(seed=number)
        elements = patient.head(name, CT, "CT") | plane() | layout
        patient.add(name, elements, Shown.ALLOWED, pixels=pixels)
    return patient
