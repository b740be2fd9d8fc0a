"""SAML 2.0, pure: bytes, values and a time go in; bytes and values come out. Shaped like the four OASIS documents."""
