"""Asks everything, looks into every answer, and counts."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from suite.leaktest.requests import Ask
from suite.leaktest.scan import Answer, Finding, Scanner
from suite.leaktest.transport import Site


@dataclass(frozen=True)
class Leak:
    """A value that a route gave away.

    Args:
        ask: The request.
        finding: The value and its place in the answer.
    """

    ask: Ask
    finding: Finding

    def to_text(self, *, shows_value: bool = False) -> str:
        """Return one line; the value itself only when it is wanted."""
        needle, headers = self.finding.needle, dict(self.ask.headers)
        value = f" = {needle.value!r}" if shows_value else ""
        accept = f" [{headers['Accept']}]" if "Accept" in headers else ""
        return (
            f"{self.ask.method} {self.ask.template}{accept}: {needle.kind} from "
            f"{needle.source}{value}, in {self.finding.where}"
        )


@dataclass
class Outcome:
    """What a crawl has found.

    Args:
        leaks: Each value that came out, by route.
        requests: Number of requests, by route.
        statuses: Number of answers, by route and status.
        scanned: Bytes of bodies that were looked into.
    """

    leaks: list[Leak] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    scanned: int = 0

    def found_on(self, template: str) -> int:
        """Return how many leaks a route has."""
        return sum(leak.ask.template == template for leak in self.leaks)

    @property
    def answered(self) -> set[str]:
        """The routes that have answered something with 200 at least once."""
        return {template for template, status in self.statuses if status == _OK}


_OK = 200
Watcher = Callable[[Ask, Answer], None]
"""Is told of every answer."""


def crawl(
    site: Site,
    asks: Iterable[Ask],
    scanner: Scanner,
    watcher: Watcher = lambda _ask, _answer: None,
) -> Outcome:
    """Ask everything and look into the answers.

    Raises:
        OSError: The site does not answer any more.
    """
    outcome = Outcome()
    known: dict[bytes, list[Finding]] = {}
    for ask in asks:
        answer = site.ask(ask.method, ask.path, ask.headers, ask.body)
        outcome.requests[ask.template] += 1
        outcome.statuses[ask.template, answer.status] += 1
        outcome.scanned += len(answer.body)
        watcher(ask, answer)
        found = _scanned(scanner, answer, known)
        outcome.leaks += (Leak(ask, finding) for finding in found)
    return outcome


def _scanned(
    scanner: Scanner, answer: Answer, known: dict[bytes, list[Finding]]
) -> list[Finding]:
    """Scan an answer; bodies that come again and again only once."""
    header = scanner.scan(Answer(answer.status, answer.reason, answer.headers))
    body = sha256(answer.body).digest()
    if body not in known:
        known[body] = scanner.scan_bytes(answer.body)
    return header + known[body]
