"""What all services share of HTTP."""
