"""Notices reach who may have them, signed, and nothing that a receiver does hurts."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from demo.processes import free_port
from orthanc_share.upstream.client import create_client
from orthanc_share.upstream.notice_addresses import NoticeAddresses
from orthanc_share.upstream.notices import Delivery, NoticeSender, sign, signing_key
from tests.support.receiver import Received, receiver

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = b"k" * 32
BODY = '{"event":"opened","id":"msg_1"}'


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with create_client() as made:
        yield made


def _sender(
    client: httpx.AsyncClient, site: str, *, timeout: timedelta | None = None
) -> NoticeSender:
    addresses = NoticeAddresses(site)
    if timeout is None:
        return NoticeSender(client, KEY, addresses)
    return NoticeSender(client, KEY, addresses, timeout)


def test_the_signature_is_that_of_the_standard() -> None:
    # The example of the libraries of Standard Webhooks.
    at = datetime.fromtimestamp(1614265330, UTC)
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_key_is_base64_after_its_prefix_or_the_text_itself() -> None:
    key = bytes(range(24))
    encoded = base64.b64encode(bytes(range(25))).decode()
    assert signing_key(f"whsec_{base64.b64encode(key).decode()}") == key
    assert signing_key(f"whsec_{encoded.rstrip('=')}") == bytes(range(25))
    assert signing_key("x" * 24) == b"x" * 24


@pytest.mark.parametrize(
    "text", ["", "x" * 23, "whsec_", "whsec_c2hvcnQ=", f"whsec_{'!' * 40}", "whsec_a"]
)
def test_a_weak_or_broken_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"shorter|base64") as caught:
        signing_key(text)
    assert not text or text not in str(caught.value)


async def test_a_notice_arrives_as_it_was_signed(client: httpx.AsyncClient) -> None:
    with receiver() as there:
        sender = _sender(client, there.url)
        assert "kkkk" not in repr(sender)
        sent = await sender.send(there.url, "msg_1", BODY, now=NOW)
    assert sent is Delivery.DELIVERED
    (received,) = there.received
    assert received.path == "/hook?key=secret"
    assert received.body == BODY.encode()
    assert received.headers["content-type"] == "application/json"
    assert _signature(received) == received.headers["webhook-signature"]
    assert received.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert "cookie" not in received.headers
    assert "authorization" not in received.headers


def _signature(received: Received) -> str:
    """Return the signature that a receiver expects."""
    signed = b".".join(
        (
            received.headers["webhook-id"].encode(),
            received.headers["webhook-timestamp"].encode(),
            received.body,
        )
    )
    digest = hmac.new(KEY, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Delivery.DELIVERED),
        (299, Delivery.DELIVERED),
        (410, Delivery.GONE),
        (300, Delivery.FAILED),
        (301, Delivery.FAILED),
        (307, Delivery.FAILED),
        (401, Delivery.FAILED),
        (404, Delivery.FAILED),
        (429, Delivery.FAILED),
        (500, Delivery.FAILED),
        (503, Delivery.FAILED),
    ],
)
async def test_only_2xx_is_delivered_and_a_redirect_is_not_followed(
    client: httpx.AsyncClient, status: int, expected: Delivery
) -> None:
    with receiver(lambda _: status) as there:
        sender = _sender(client, there.url)
        assert await sender.send(there.url, "msg_1", BODY, now=NOW) is expected
        assert len(there.received) == 1


async def test_a_receiver_that_hangs_is_left(client: httpx.AsyncClient) -> None:
    with receiver(lambda _: None) as there:
        sender = _sender(client, there.url, timeout=timedelta(seconds=0.2))
        sent = await sender.send(there.url, "msg_1", BODY, now=NOW)
        assert sent is Delivery.FAILED


async def test_a_receiver_that_is_not_there_fails(client: httpx.AsyncClient) -> None:
    for address in (f"http://127.0.0.1:{free_port()}/", "http://127.0.0.1:0/"):
        sent = await _sender(client, address).send(address, "msg_1", BODY, now=NOW)
        assert sent is Delivery.FAILED


async def test_a_site_whose_name_cannot_be_read_fails(
    client: httpx.AsyncClient,
) -> None:
    address = "https://xn--a.example/"
    sent = await _sender(client, address).send(address, "msg_1", BODY, now=NOW)
    assert sent is Delivery.FAILED


async def test_an_address_that_is_not_allowed_any_more_is_not_asked(
    client: httpx.AsyncClient,
) -> None:
    with receiver() as there:
        sender = _sender(client, "https://site.example/")
        sent = await sender.send(there.url, "msg_1", BODY, now=NOW)
        assert sent is Delivery.GONE
        assert there.received == []
