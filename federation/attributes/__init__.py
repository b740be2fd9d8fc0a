"""What a connection may be told about a person: catalogue of names, release policy, identifiers. Pure."""
