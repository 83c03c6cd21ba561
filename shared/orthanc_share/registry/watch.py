"""What a point of enforcement needs of the registry: who is out, and how often."""

from dataclasses import dataclass

from orthanc_share.domain.access import Decision, Denied
from orthanc_share.domain.share import Share
from orthanc_share.registry.register import Register
from orthanc_share.registry.tallies import Tallies


@dataclass(frozen=True, slots=True)
class Watch:
    """Knows what was revoked, and counts what was decided.

    Args:
        register: Knows what became of shares.
        tallies: Counts.
    """

    register: Register
    tallies: Tallies

    def note(self, share: Share, decision: Decision) -> None:
        """Count a decision on `share`."""
        if isinstance(decision, Denied):
            self.tallies.denied(share, decision.reason)
        else:
            self.tallies.granted(share)
