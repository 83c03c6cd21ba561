"""Routes for those who run a service: `/health`, `/ready`, `/metrics`."""

from collections.abc import Mapping

from fastapi import FastAPI
from starlette.responses import PlainTextResponse

from orthanc_share.web.health import Ping, Readiness, alive
from orthanc_share.web.metrics import Metrics


def add_operation(
    app: FastAPI, pings: Mapping[str, Ping], metrics: Metrics | None
) -> None:
    """Add the routes, none of which asks who calls.

    Args:
        app: The application.
        pings: Name of each dependency and how to reach it.
        metrics: What `/metrics` shows; None: there is no such route.
    """
    app.add_api_route(
        "/health", alive, methods=["GET"], tags=["operation"], summary="Alive?"
    )
    app.add_api_route(
        "/ready",
        Readiness(pings).answer,
        methods=["GET"],
        tags=["operation"],
        summary="Do its dependencies answer?",
        responses={503: {"description": "One of them does not"}},
    )
    if metrics is not None:
        app.add_api_route(
            "/metrics",
            metrics.expose,
            methods=["GET"],
            tags=["operation"],
            summary="Counters for Prometheus",
            response_class=PlainTextResponse,  # for the document
        )
