"""What the service and its callers owe each other: recordings, protocol, OpenAPI."""
