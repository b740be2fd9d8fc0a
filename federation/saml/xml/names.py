"""Names of elements, taken apart."""

from __future__ import annotations

from typing import Final

from lxml import etree

SPACE: Final = " \t\r\n"
"""White space as XML has it."""


def namespace_of(element: etree._Element) -> str:
    """The namespace of an element's name, or an empty string."""
    namespace, brace, _ = str(element.tag).rpartition("}")
    return namespace[1:] if brace else ""


def local_name(element: etree._Element) -> str:
    """The local part of an element's name."""
    return str(element.tag).rpartition("}")[2]
