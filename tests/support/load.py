"""A load of everything that a token-service writes down, and what it acknowledged."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.outage import is_unavailable, until
from tests.support.service import PUBLICATION, Service, creation

MAX_OPENINGS = 7
"""Openings of a limited share."""

STOCK = 3
"""Shares that wait to be revoked: some are left when none can be made."""


@dataclass(frozen=True)
class Made:
    """A share that was made.

    Args:
        id: Its id.
        token: Its long link.
        view: A viewer token of it; None: it was not opened.
    """

    id: str
    token: str
    view: str | None = None

    def opens(self, service: Service) -> bool:
        """Tell whether anything that its receiver has is granted."""
        tokens = [one for one in (self.token, self.view) if one is not None]
        return any(service.is_granted(token) for token in tokens)


class Load:
    """Six callers at once, each again and again; all is counted that was answered.

    Args:
        service: Whom they call.

    Attributes:
        good: Good answers, by task.
        later: Answers that said so, by task.
        created: Shares whose making was acknowledged.
        opened: Openings that were acknowledged, by limited share.
        revoked: Shares whose revocation was acknowledged.
        denied: Those of them that were denied since; nothing opens them any more.
        live: A share that stays as it is.
        counted: A share about which only reports tell, one grant each.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._running: list[Future[None]] = []
        self.good: Counter[str] = Counter()
        self.later: Counter[str] = Counter()
        self.created: list[str] = []
        self.opened: Counter[str] = Counter()
        self.revoked: list[Made] = []
        self.denied: list[Made] = []
        self.live, self.counted = self._share(), self._share()
        self._limited = self._share(max_openings=MAX_OPENINGS)
        self._stock = [self._open(self._share()) for _ in range(STOCK)]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let them call until the block ends; what one of them finds wrong is raised.

        Raises:
            AssertionError: An answer was neither good nor the right way to say: later.
        """
        tasks = [
            *(self.create, self.open, self.open, self.revoke),
            *(self.validate, self.report),
        ]
        with ThreadPoolExecutor(len(tasks)) as pool:
            self._running = [pool.submit(self._repeat, task) for task in tasks]
            try:
                yield
            finally:
                self._over.set()
        self._raise_what_is_wrong()

    def wait_for_good(self, more: int) -> None:
        """Wait until each task was done so many times more."""
        self._wait(self.good, {"create", "open", "revoke", "validate", "report"}, more)

    def wait_for_later(self, more: int) -> None:
        """Wait until each task was put off so many times more, and validate was not."""
        self._wait(self.later, {"create", "open", "revoke", "report"}, more)
        self._wait(self.good, {"validate"}, more)

    def create(self) -> None:
        """Make a share."""
        made = self._ask("create", "PUT", f"/tokens/{PUBLICATION}", creation())
        if made is not None:
            self.created.append(made["share-id"])

    def open(self) -> None:
        """Open the limited share; used up it is followed by another one."""
        limited = self._limited
        answer = self._ask("open", "POST", "/links/open", {"token": limited.token})
        if answer is None:
            return
        if answer["outcome"] == "opened":
            with self._lock:
                self.opened[limited.id] += 1
            assert self._service.is_granted(answer["view"])
            return
        assert answer["reason"] == "used-up"
        body = creation(max_openings=MAX_OPENINGS)
        made = self._ask("limited", "PUT", f"/tokens/{PUBLICATION}", body)
        if made is not None:
            self._limited = self._kept(made)

    def revoke(self) -> None:
        """Take a share back, and look which are denied by now."""
        first = self._stock[0]
        if self._ask("revoke", "DELETE", f"/shares/{first.id}") is not None:
            self.revoked.append(first)
            self._stock.pop(0)
        if len(self._stock) < STOCK:
            made = self._ask("stock", "PUT", f"/tokens/{PUBLICATION}", creation())
            if made is not None:
                self._stock.append(self._kept(made))
                self._restock()
        self.are_denied()

    def are_denied(self) -> bool:
        """Note which of the revoked are denied by now, and tell whether all are."""
        for one in self.revoked[len(self.denied) :]:
            if one.opens(self._service):
                # The others were revoked later, and are known later.
                return False
            self.denied.append(one)
        return True

    def validate(self) -> None:
        """Ask what must be granted, and what never must."""
        assert self._service.is_granted(self.live.token)
        assert not self._service.is_granted(self._limited.token)
        for one in (*self.denied[:2], *self.denied[-2:]):
            assert not one.opens(self._service)
        with self._lock:
            self.good["validate"] += 1

    def report(self) -> None:
        """Tell of a grant elsewhere."""
        body = {"tallies": [{"share-id": self.counted.id, "granted": 1}]}
        self._ask("report", "POST", "/shares/tallies", body)

    def _restock(self) -> None:
        """Open the newest of the stock, so that a view is revoked with its share."""
        body = {"token": self._stock[-1].token}
        opened = self._ask("view", "POST", "/links/open", body)
        if opened is not None:
            newest = self._stock[-1]
            self._stock[-1] = Made(newest.id, newest.token, opened["view"])

    def _share(self, **members: Any) -> Made:
        """Make a share while nothing is stopped."""
        return self._kept(self._service.made(**members))

    def _open(self, made: Made) -> Made:
        answer = self._service.call("POST", "/links/open", {"token": made.token})
        assert answer.status == 200
        return Made(made.id, made.token, answer.json["view"])

    def _kept(self, made: Mapping[str, Any]) -> Made:
        self.created.append(made["share-id"])
        return Made(made["share-id"], made["token"])

    def _ask(self, task: str, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON of a good answer; None: it says later."""
        answer = self._service.call(method, path, body)
        is_good = answer.status == 200
        assert is_good or is_unavailable(answer), (method, path, answer.raw)
        with self._lock:
            (self.good if is_good else self.later)[task] += 1
        return answer.json if is_good else None

    def _repeat(self, task: Callable[[], None]) -> None:
        while not self._over.is_set():
            task()

    def _wait(self, answers: Counter[str], tasks: set[str], more: int) -> None:
        before = answers.copy()

        def is_done() -> bool:
            self._raise_what_is_wrong()
            return all(answers[task] >= before[task] + more for task in tasks)

        until(is_done)

    def _raise_what_is_wrong(self) -> None:
        for one in self._running:
            if one.done():
                one.result()
