"""Tests of `orthanc_share`, laid out like it."""
