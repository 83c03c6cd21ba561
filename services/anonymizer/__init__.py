"""anonymizer: the proxy that shows studies de-identified."""
