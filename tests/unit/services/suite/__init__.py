"""The suite and its command line."""
