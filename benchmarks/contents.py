"""What is in the answers that are measured: the right pixels, and no name."""

import io

from pydicom import dcmread

from benchmarks.bench import WrongAnswerError
from benchmarks.download import Answer
from benchmarks.samples import PATIENT, Sample, pixels

_BOUNDARY = "boundary="


def expect_clean(answer: Answer, sample: Sample) -> None:
    """Return if an answer has every instance of a sample, with all of its pixels.

    Raises:
        WrongAnswerError: It has not, or it names the patient.
    """
    if PATIENT.encode() in answer.body:
        raise WrongAnswerError("The patient is named.")
    found = [dcmread(io.BytesIO(part)) for part in _parts(answer)]
    if len(found) != sample.images:
        raise WrongAnswerError(f"{len(found)} of {sample.images} images came.")
    expected = pixels(sample.size) * max(1, sample.frames)
    if any(dataset.PixelData != expected for dataset in found):
        raise WrongAnswerError("Pixels are not those of the source.")


def _parts(answer: Answer) -> list[bytes]:
    boundary = answer.content_type.partition(_BOUNDARY)[2].partition(";")[0].strip('"')
    if not boundary:
        raise WrongAnswerError(f"An answer is not multipart ({answer.status}).")
    between = answer.body.split(b"--" + boundary.encode())[1:-1]
    return [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in between]
