"""Real programs that several end-to-end tests share; each is started once."""

from tests.support.demo import demo
from tests.support.orthanc import samples

__all__ = ["demo", "samples"]
