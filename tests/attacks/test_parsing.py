"""Attacks on the parser, and on whoever reads what it made."""

import pytest

from federation.errors import Refused
from tests import factories
from tests.factories import accept_response, signed_response

DOCUMENT = signed_response()
NAME = b">_f81d<"


def rule_of(document: bytes) -> str:
    with pytest.raises(Refused) as caught:
        accept_response(document)
    return caught.value.rule


@pytest.mark.parametrize(
    "doctype",
    [
        b"<!DOCTYPE x>",
        b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'>",
        b"<!DOCTYPE x SYSTEM 'http://127.0.0.1:9/'>",
        b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>",
        b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>",
        b"<!DOCTYPE x [<!ATTLIST samlp:Response ID ID #IMPLIED>]>",
    ],
)
def test_a_doctype_is_refused_whatever_it_says(doctype: bytes) -> None:
    assert rule_of(doctype + DOCUMENT) == "xml.doctype"
    utf_16 = b"<?xml version='1.0' encoding='utf-16'?>" + doctype + DOCUMENT
    assert rule_of(utf_16.decode().encode("utf-16")) == "xml.doctype"


def test_an_entity_in_a_value_is_refused() -> None:
    document = b"<!DOCTYPE x [<!ENTITY e 'admin'>]>" + DOCUMENT.replace(NAME, b">&e;<")
    assert rule_of(document) == "xml.doctype"
    assert rule_of(DOCUMENT.replace(NAME, b">&undeclared;<")) == "xml.well_formed"


def test_entities_that_grow_are_refused_at_once() -> None:
    entities = b"".join(b"<!ENTITY e%d '%s'>" % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 12))
    document = b"<!DOCTYPE x [<!ENTITY e0 'ha'>" + entities + b"]>" + DOCUMENT.replace(NAME, b">&e11;<")
    assert rule_of(document) in ("xml.doctype", "xml.well_formed")


@pytest.mark.parametrize(
    ("inserted", "rule"),
    [
        (b">_f8<!-- -->1d<", None),
        (b">_f81d<!-- -->.evil<", "signature.content"),
        (b"><!-- _f81d -->admin<", "signature.content"),
        (b"><![CDATA[_f81d]]><", None),
        (b">_f8<![CDATA[1d]]><", None),
        (b">_f8<?x y?>1d<", "xml.processing_instruction"),
        (b">&#x5f;f81d<", None),
        (b">_f81d<x/><", "signature.content"),
        (b">_f81d <", "signature.content"),
    ],
)
def test_a_name_is_read_whole_or_not_at_all(inserted: bytes, rule: str | None) -> None:
    document = DOCUMENT.replace(NAME, inserted)
    assert document != DOCUMENT
    if rule is None:
        accepted = accept_response(document)
        assert accepted.name_id is not None
        assert accepted.name_id.value == "_f81d"
    else:
        assert rule_of(document) == rule


def test_a_name_with_a_comment_that_was_signed_so_is_the_whole_name() -> None:
    """admin<!-- -->.evil was signed as admin.evil, and that is whom we see."""
    from federation.saml.messages import NameID

    document = signed_response(factories.assertion(name_id=NameID("admin.evil")))
    accepted = accept_response(document.replace(b">admin.evil<", b">admin<!-- -->.evil<"))
    assert accepted.name_id is not None
    assert accepted.name_id.value == "admin.evil"


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        (DOCUMENT + DOCUMENT, "xml.well_formed"),
        (DOCUMENT + b"<x/>", "xml.well_formed"),
        (DOCUMENT + b"junk", "xml.well_formed"),
        (b"junk" + DOCUMENT, "xml.well_formed"),
        (DOCUMENT[:-1], "xml.well_formed"),
        (DOCUMENT[: len(DOCUMENT) // 2], "xml.well_formed"),
        (b"", "xml.well_formed"),
        (b"\0" * 100, "xml.well_formed"),
        (DOCUMENT.replace(b"Alice", b"\xff\xfe"), "xml.well_formed"),
        (b"<?xml version='1.0' encoding='utf-7'?>" + DOCUMENT.decode().encode("utf-7"), "xml.encoding"),
        (b"<?xml version='1.1'?>" + DOCUMENT, "xml.version"),
        (DOCUMENT + b"<?x y?>", "xml.processing_instruction"),
        (b"<?xml-stylesheet href='x'?>" + DOCUMENT, "xml.processing_instruction"),
        (DOCUMENT + b" " * 1_100_000, "xml.size"),
        (b"<a>" * 1000 + b"</a>" * 1000, "xml.well_formed"),
        (b"<a>" * 100 + b"</a>" * 100, "xml.depth"),
        (b"<a>" + b"<b/>" * 40_000 + b"</a>", "xml.elements"),
        (b"<a %s/>" % b" ".join(b"a%d='x'" % n for n in range(1000)), "xml.attributes"),
        (b"<a %s/>" % b" ".join(b"xmlns:a%d='u:%d'" % (n, n) for n in range(1000)), "xml.namespaces"),
    ],
    ids=range(19),
)
def test_what_is_no_single_bearable_document_is_refused(document: bytes, rule: str) -> None:
    assert rule_of(document) == rule


@pytest.mark.parametrize("name", [b"Id", b"id", b"xml:id", b"samlp:ID", b'xmlns:a="urn:a" a:ID'])
def test_an_identifier_by_another_name_is_refused(name: bytes) -> None:
    identifier = factories.RESPONSE_ID.encode()
    beside = DOCUMENT.replace(b'ID="%s"' % identifier, b'ID="%s" %s="_x"' % (identifier, name), 1)
    assert rule_of(beside) == "xml.ids"
    instead = DOCUMENT.replace(b'ID="%s"' % identifier, b'%s="%s"' % (name, identifier), 1)
    assert rule_of(instead) == "xml.ids"


@pytest.mark.parametrize("value", [b"x' or '1'='1", b"a b", b"1a", b"", b"&#10;x", b"../x"])
def test_an_identifier_that_is_no_name_is_refused(value: bytes) -> None:
    document = DOCUMENT.replace(factories.RESPONSE_ID.encode(), value, 1)
    assert rule_of(document) == "xml.ids"


@pytest.mark.parametrize(
    "instant", [b"", b"now", b"2026-03-04", b"9" * 100_000, b"2026-03-04T10:00:00+99:99", b"-2026-03-04T10:00:00Z"]
)
def test_an_instant_that_is_none_is_refused(instant: bytes) -> None:
    unsigned = signed_response(sign="nothing").replace(b"2026-03-04T10:00:00Z", instant)
    assert rule_of(unsigned) in ("times.instant", "xml.attribute")
