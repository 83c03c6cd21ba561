"""Mutated inputs for the codecs: what is malformed is refused, never passed."""
