"""The anonymizer."""
