"""Looks for a patient's identity in everything that the anonymizer answers."""
