"""Profiles (SAML Profiles): each file one ceremony, as an ordered list of named checks."""
