"""Tests of the commands that manage a site."""
