"""SAML Federation: the toolkit. SAML, metadata, attribute release, audiences and SCIM, usable without either app."""
