"""Routes for those who run a service: `/health`, `/ready`, `/metrics`."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from starlette.responses import PlainTextResponse

from orthanc_share.web.health import Ping, Readiness, alive
from orthanc_share.web.metrics import Metrics

_STATE = {"type": "string", "enum": ["ok", "unavailable"]}
_ALIVE = {
    "type": "object",
    "properties": {"status": {"type": "string", "const": "ok"}},
    "required": ["status"],
}
_READY = {
    "type": "object",
    "properties": {
        "status": _STATE,
        "dependencies": {"type": "object", "additionalProperties": _STATE},
    },
    "required": ["status", "dependencies"],
}


def _documented(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": schema}},
    }


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
        "/health",
        alive,
        methods=["GET"],
        tags=["operation"],
        summary="Alive?",
        responses={200: _documented("It serves requests", _ALIVE)},
    )
    app.add_api_route(
        "/ready",
        Readiness(pings).answer,
        methods=["GET"],
        tags=["operation"],
        summary="Do its dependencies answer?",
        responses={
            200: _documented("All of them do", _READY),
            503: _documented("One of them does not", _READY),
        },
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
