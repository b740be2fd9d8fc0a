"""SCIM 2.0 (RFC 7643, RFC 7644): schemas, filter, patch, bulk, a server engine over a small store protocol, the client. Pure."""
