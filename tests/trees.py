"""What we write as trees that were parsed, for tests that change them; and parsed trees built by hand."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from federation.saml import xml
from federation.saml.codec import artifact as artifact_codec
from federation.saml.codec import response as response_codec
from federation.saml.messages import ArtifactResponse, Response


def new(tag: str, nsmap: Mapping[str, str], attributes: Mapping[str, str] | None = None) -> etree._Element:
    """A new root element."""
    return etree.Element(tag, attributes or {}, nsmap=dict(nsmap))


def add(
    parent: etree._Element, tag: str, content: str | None = None, attributes: Mapping[str, str] | None = None
) -> etree._Element:
    """Append a child element."""
    element = etree.SubElement(parent, tag, attributes or {})
    element.text = content
    return element


def response(envelope: Response, assertion: etree._Element) -> etree._Element:
    """A response around an assertion, which need not be one that we would write."""
    return _around(xml.lift(response_codec.write(envelope)), assertion)


def artifact_response(envelope: ArtifactResponse, message: etree._Element | None) -> etree._Element:
    """The answer to an ArtifactResolve around a message, likewise."""
    return _around(xml.lift(artifact_codec.write_response(envelope)), message)


def _around(element: etree._Element, child: etree._Element | None) -> etree._Element:
    if child is not None:
        element.append(child)
    return element
