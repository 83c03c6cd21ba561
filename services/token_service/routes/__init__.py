"""The routes, one module for each question that callers ask."""
