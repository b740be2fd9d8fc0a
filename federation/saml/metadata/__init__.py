"""Metadata (SAML Metadata): reading, publishing, trust, difference and lint."""
