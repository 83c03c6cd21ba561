"""Tests of the services, laid out like them."""
