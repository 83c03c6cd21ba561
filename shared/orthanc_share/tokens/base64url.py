"""base64url without padding (RFC 7515 2), in its canonical spelling only."""

import base64


def encode(raw: bytes) -> bytes:
    """Return `raw` in base64url, without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def decode(text: bytes) -> bytes:
    """Return the bytes that `text` stands for.

    Raises:
        ValueError: Other characters, padding, or a second spelling of the same bytes.
    """
    padding = b"=" * (-len(text) % 4)
    raw = base64.b64decode(text + padding, altchars=b"-_", validate=True)
    if encode(raw) != text:
        raise ValueError("This is not canonical base64url.")
    return raw
