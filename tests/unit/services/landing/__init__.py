"""Tests of the landing service."""
