"""Revisions, oldest first; each is written once and never changed after a release."""
