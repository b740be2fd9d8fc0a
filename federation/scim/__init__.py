"""SCIM 2.0 (RFC 7643, RFC 7644), pure: values and bytes in, values and bytes out.

urns, errors         names of schemas and messages; the error that becomes a SCIM error response (7644 3.12)
schema, catalogue    attributes with their characteristics (7643 2.2), and the resource types that we have
paths, filters       attribute paths; the filter language (7644 3.4.2.2): parsed under limits, evaluated
codec                what arrives, into a document with canonical names and checked types
patch                PATCH (7644 3.5.2), as RFC 7644 says it and as clients really send it
selection            attributes and excludedAttributes (7644 3.9)
store, server, bulk  the server engine over a small store protocol
client               what a provisioning client needs, over any sender of HTTP requests
"""
