"""Elements to messages and back: the one place that knows how SAML looks as XML."""
