"""How messages travel (SAML Bindings): octets from the web to `Received`, and messages to what a browser can carry."""
