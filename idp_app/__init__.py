"""The identity provider, a Pyramid app."""
