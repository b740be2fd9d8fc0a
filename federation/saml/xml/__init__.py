"""XML as SAML needs it: one hardened parser, one rigid reading, one writer.

Every document from outside passes `parse` and nothing else: no entity, no DTD, no network, no processing instruction,
and a limit on every dimension. Comments are dropped at parsing, because the canonical form that is signed has none, and
text is then read whole. What is refused is refused on the parsed document, so that an encoding cannot hide it.
"""

from __future__ import annotations

from federation.saml.xml.names import (
    SPACE,
    local_name,
    namespace_of,
)
from federation.saml.xml.parsing import (
    BYTES_PER_ELEMENT,
    MAX_ATTRIBUTES,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_IN_SCOPE,
    MAX_NAMESPACES,
    Document,
    collect_ids,
    is_ncname,
    parse,
    parse_message,
    reparse,
)
from federation.saml.xml.reading import (
    Content,
    Shape,
    Slot,
    boolean,
    expect,
    maybe,
    non_negative,
    one,
    required,
    several,
    text,
    unsigned_short,
    uri,
)
from federation.saml.xml.stencil import CUT, Stencil, cut, hole, hole_in
from federation.saml.xml.writing import (
    Element,
    add,
    canonical,
    content_text,
    inside,
    lift,
    new,
    parts,
    serialise,
    tags_inside,
)

__all__ = [
    "BYTES_PER_ELEMENT",
    "CUT",
    "MAX_ATTRIBUTES",
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_IN_SCOPE",
    "MAX_NAMESPACES",
    "SPACE",
    "Content",
    "Document",
    "Element",
    "Shape",
    "Slot",
    "Stencil",
    "add",
    "boolean",
    "canonical",
    "collect_ids",
    "content_text",
    "cut",
    "expect",
    "hole",
    "hole_in",
    "inside",
    "is_ncname",
    "lift",
    "local_name",
    "maybe",
    "namespace_of",
    "new",
    "non_negative",
    "one",
    "parse",
    "parse_message",
    "parts",
    "reparse",
    "required",
    "serialise",
    "several",
    "tags_inside",
    "text",
    "unsigned_short",
    "uri",
]
