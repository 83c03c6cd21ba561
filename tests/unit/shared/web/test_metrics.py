"""Counters."""

import pytest
from starlette.requests import Request

from orthanc_share.domain.access import Denied, Granted, Reason
from orthanc_share.web.metrics import Metrics
from tests.unit.shared.web.asgi import http_scope

pytestmark = pytest.mark.anyio


async def shown(metrics: Metrics) -> list[str]:
    response = await metrics.expose(Request(http_scope("/metrics")))
    return bytes(response.body).decode().splitlines()


async def test_decisions_are_counted_by_reason() -> None:
    metrics = Metrics()
    for decision in (Granted(60), Granted(1), Denied(Reason.EXPIRED)):
        metrics.count(decision)
    lines = await shown(metrics)
    name = "orthanc_share_decisions_total"
    assert f'{name}{{decision="granted",reason=""}} 2.0' in lines
    assert f'{name}{{decision="denied",reason="expired"}} 1.0' in lines
    for reason in Reason:
        assert any(f'reason="{reason}"' in line for line in lines)


async def test_shares_openings_and_requests_are_counted() -> None:
    metrics = Metrics()
    metrics.shares.labels("stone-viewer-publication", "standard").inc()
    metrics.openings.labels("opened").inc()
    metrics.observe("GET", 200, 0.003)
    text = "\n".join(await shown(metrics))
    assert (
        'orthanc_share_shares_created_total{flavour="standard",'
        'type="stone-viewer-publication"} 1.0'
    ) in text
    assert 'orthanc_share_links_opened_total{outcome="opened"} 1.0' in text
    assert (
        'orthanc_share_request_seconds_bucket{le="0.005",method="GET",status="200"} 1.0'
    ) in text


async def test_two_services_in_one_process_do_not_mix() -> None:
    one, other = Metrics(), Metrics()
    one.openings.labels("opened").inc()
    assert "links_opened_total{" in "\n".join(await shown(one))
    assert "links_opened_total{" not in "\n".join(await shown(other))
