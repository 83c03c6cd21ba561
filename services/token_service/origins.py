"""Who calls, and from where: for the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import Scope

from orthanc_share.config.values import Network
from orthanc_share.store.records import Origin
from orthanc_share.web.client_address import client_address
from orthanc_share.web.plain import CALLER, header


@dataclass(frozen=True, slots=True)
class Origins:
    """Tells the origin of requests.

    Args:
        proxies: Whose word on the client's address counts.
    """

    proxies: Sequence[Network] = ()

    def of(self, scope: Scope) -> Origin:
        """Return who sends a request that was authenticated, and from where."""
        agent = header(scope, b"user-agent")
        return Origin(
            actor=scope[CALLER],
            address=client_address(scope, self.proxies),
            user_agent=None if agent is None else agent.decode("latin-1"),
        )
