"""Counters of a process, shown at `GET /metrics` in Prometheus' text format."""

from collections.abc import Callable, Mapping
from typing import assert_never

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from starlette.requests import Request
from starlette.responses import Response

from orthanc_share.domain.access import Decision, Denied, Granted, Reason

LATENCY_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0)
"""Upper bounds of the histogram of answer times, in seconds."""


class Metrics:
    """The counters of one service; each service has a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        decisions = Counter(
            "orthanc_share_decisions",
            "Questions of the plugin, by decision and reason.",
            ["decision", "reason"],
            registry=self._registry,
        )
        self._granted = decisions.labels("granted", "")
        self._denied: Mapping[Reason, Counter] = {
            reason: decisions.labels("denied", reason) for reason in Reason
        }
        self.shares = Counter(
            "orthanc_share_shares_created",
            "Shares that were made, by type and flavour.",
            ["type", "flavour"],
            registry=self._registry,
        )
        self.openings = Counter(
            "orthanc_share_links_opened",
            "Links that came to the landing page, by what became of them.",
            ["outcome"],
            registry=self._registry,
        )
        self._requests = Histogram(
            "orthanc_share_request_seconds",
            "Time to answer all but the plugin's questions, by method and status.",
            ["method", "status"],
            buckets=LATENCY_BUCKETS,
            registry=self._registry,
        )
        self.instances = Counter(
            "orthanc_share_instances",
            "Instances that a de-identified share asked for, by what became of them.",
            ["share", "outcome", "reason"],
            registry=self._registry,
        )
        self._instance_bytes = Counter(
            "orthanc_share_instance_bytes",
            "Bytes of images and metadata that a de-identified share got.",
            ["share"],
            registry=self._registry,
        )
        self._requests_by_kind: dict[tuple[str, int], Histogram] = {}

    def observe(self, method: str, status: int, seconds: float) -> None:
        """Count an answer and the time that it took.

        Args:
            method: Of the request; one of a few, for each has counters of its own.
            status: Of the answer; 0: there was none.
            seconds: From the request to the end of the answer.
        """
        kind = method, status
        histogram = self._requests_by_kind.get(kind)
        if histogram is None:
            histogram = self._requests.labels(method, status)
            self._requests_by_kind[kind] = histogram
        histogram.observe(seconds)

    def count(self, decision: Decision) -> None:
        """Count a decision."""
        match decision:
            case Granted():
                self._granted.inc()
            case Denied(reason):
                self._denied[reason].inc()
            case _ as never:
                assert_never(never)

    def byte_counter(self, share: str) -> Callable[[float], None]:
        """Return what counts bytes that a de-identified share got.

        Args:
            share: Its id.
        """
        # Looked up once, for it is called for every piece of every image.
        return self._instance_bytes.labels(share).inc

    def forget_share(self, share: str) -> None:
        """Remove the counters of a share that is not in use any more.

        Args:
            share: Its id, as in the label.
        """
        for counter in (self.instances, self._instance_bytes):
            counter.remove_by_labels({"share": share})

    async def expose(self, _request: Request) -> Response:
        """Answer `GET /metrics`."""
        body = generate_latest(self._registry)
        return Response(body, media_type=CONTENT_TYPE_LATEST)
