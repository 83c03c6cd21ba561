"""Bytes on their way through, which nobody need own a copy of."""

Octets = bytes | memoryview
"""A part of a stream of bytes."""
