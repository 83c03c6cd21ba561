"""Tests of the registry at work."""
