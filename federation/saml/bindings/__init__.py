"""How messages travel (SAML Bindings): octets from the web to `Received`, and messages to something a browser can carry."""
