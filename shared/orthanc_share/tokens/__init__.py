"""Shares as signed JSON Web Tokens (RFC 7519)."""
