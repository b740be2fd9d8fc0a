"""What stands in a text: in every element of every kind of message, comments, instructions, entities and children.

Comments do not count in the canonical form, so one can be put into any text of a message after it was signed. The text
is then still read whole (nobody is cut short by it), and everything else that could split a text is refused.
"""

from collections.abc import Callable, Iterator

import pytest
from lxml import etree

from federation.errors import FederationError
from federation.saml import xml
from federation.saml.names import DS, XENC
from tests.attacks.deliveries import Delivery, all_deliveries
from tests.attacks.forging import D

DOCUMENTS = {each.name: each for each in all_deliveries() if not each.is_query and "metadata" not in each.name}
OPAQUE = (DS, XENC)


def texts(root: etree._Element) -> list[etree._Element]:
    """The elements that hold a text and nothing else, but for those of signatures and ciphertext."""
    leaves = (each for each in root.iter() if not len(each) and (each.text or "").strip())
    return [each for each in leaves if xml.namespace_of(each) not in OPAQUE]


def each_changed(octets: bytes, change: Callable[[etree._Element], None]) -> Iterator[tuple[str, bool, bytes]]:
    """The message with one text changed, for each: where it stands, whether it is signed, and the document."""
    for position in range(len(texts(etree.fromstring(octets)))):
        root = etree.fromstring(octets)
        element = texts(root)[position]
        signed = any(each.find(f"{D}Signature") is not None for each in element.iterancestors())
        change(element)
        yield root.getroottree().getpath(element), signed, etree.tostring(root)


def comment_within(element: etree._Element) -> None:
    text = element.text or ""
    element.text = text[: len(text) // 2]
    comment = etree.Comment(" ")
    comment.tail = text[len(text) // 2 :]
    element.append(comment)


def comment_with_more(element: etree._Element) -> None:
    """admin<!-- -->.evil.example"""
    comment = etree.Comment(" ")
    comment.tail = ".evil.example"
    element.append(comment)


def cdata(element: etree._Element) -> None:
    element.text = etree.CDATA(element.text or "")


def instruction(element: etree._Element) -> None:
    text = element.text or ""
    element.text = text[:3]
    split = etree.ProcessingInstruction("x", "y")
    split.tail = text[3:]
    element.append(split)


def child(element: etree._Element) -> None:
    etree.SubElement(element, "x")


def child_of_saml(element: etree._Element) -> None:
    text, element.text = element.text, None
    etree.SubElement(element, element.tag).text = text


def blank(element: etree._Element) -> None:
    element.text = " "


@pytest.mark.parametrize("delivery", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_text_with_a_comment_or_as_character_data_is_the_same_text(delivery: Delivery) -> None:
    genuine = delivery.read(delivery.octets)
    for change in (comment_within, cdata):
        for place, _, document in each_changed(delivery.octets, change):
            assert delivery.read(document) == genuine, place


@pytest.mark.parametrize("delivery", DOCUMENTS.values(), ids=DOCUMENTS)
@pytest.mark.parametrize(
    ("change", "rule", "where_unsigned"),
    [
        (comment_with_more, "signature.content", "response.issuer"),
        (instruction, "xml.processing_instruction", "xml.processing_instruction"),
        (child, "signature.content", "xml.text"),
        (child_of_saml, "signature.content", "xml.text"),
        (blank, "signature.content", "xml.text"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_text_that_was_changed_after_signing_is_refused(
    delivery: Delivery, change: Callable[[etree._Element], None], rule: str, where_unsigned: str
) -> None:
    """The one text that may stand outside what is signed is the Issuer of an envelope around a signed assertion."""
    for place, signed, document in each_changed(delivery.octets, change):
        with pytest.raises(FederationError) as caught:
            delivery.read(document)
        assert caught.value.rule == (rule if signed else where_unsigned), place


@pytest.mark.parametrize("delivery", DOCUMENTS.values(), ids=DOCUMENTS)
def test_an_entity_in_a_text_is_refused(delivery: Delivery) -> None:
    root = etree.fromstring(delivery.octets)
    for each in texts(root):
        each.text = f"{each.text}@@@"
    spoiled = etree.tostring(root)
    for document, rule in (
        (spoiled.replace(b"@@@", b"&undeclared;"), "xml.well_formed"),
        (b"<!DOCTYPE x [<!ENTITY e 'x'>]>" + spoiled.replace(b"@@@", b"&e;"), "xml.doctype"),
        (b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/hostname'>]>" + spoiled.replace(b"@@@", b"&e;"), "xml.doctype"),
        (b"<!DOCTYPE x SYSTEM 'http://127.0.0.1:9/x'>" + delivery.octets, "xml.doctype"),
    ):
        with pytest.raises(FederationError) as caught:
            delivery.read(document)
        assert caught.value.rule == rule
