"""Tests of the plugin for Orthanc."""
