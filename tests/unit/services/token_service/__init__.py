"""Tests of token-service's modules; its routes are tested in `tests/contract`."""
