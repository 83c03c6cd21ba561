"""token-service: makes shares and decides what they open."""
