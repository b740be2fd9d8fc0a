"""Pyramid glue that both apps use: SAML in and out of requests, headers, problem pages, base templates."""
