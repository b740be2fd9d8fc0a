"""What tests of both apps ask about a document of ours."""

from __future__ import annotations

from lxml import etree

from federation.saml import xml
from federation.saml.names import DS, XENC


def longest(document: bytes) -> int:
    """The length of the longest string in a document, but for what is cryptography, ciphertext or a picture."""
    elements = [each for each in etree.fromstring(document).iter() if xml.namespace_of(each) not in (DS, XENC)]
    texts = (text or "" for each in elements for text in (each.text, *each.attrib.values()))
    return max(len(text) for text in texts if not text.startswith("data:image/"))
