"""An anonymizer before a stand-in of Orthanc, shared by the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.support.anonymized import Running, running


@pytest.fixture(scope="session")
def anonymizer() -> Iterator[Running]:
    """Run an anonymizer with the default profile."""
    with running() as started:
        yield started
