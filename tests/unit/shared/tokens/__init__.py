"""Tokens and keys."""
