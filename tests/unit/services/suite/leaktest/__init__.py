"""Tests of the leak test."""
