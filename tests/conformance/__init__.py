"""Conformance by id: the ids of two Kantara profiles, the tests that prove them, and the page made from both."""
