"""The whole, with real servers and a real browser."""
