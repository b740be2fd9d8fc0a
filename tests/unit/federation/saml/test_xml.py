"""XML from outside is read in one hardened way; what it says is read whole, in order, and nothing else."""

import pytest
from lxml import etree

from federation.errors import Malformed
from federation.saml import xml
from federation.saml.names import DS, SAMLP


def refused(data: bytes, rule: str, **limits: int) -> None:
    with pytest.raises(Malformed) as caught:
        xml.parse(data, **limits)
    assert caught.value.rule == rule


def element(text: str) -> etree._Element:
    return xml.parse(text.encode())


# Parsing


def test_a_document_is_read() -> None:
    assert xml.parse(b"<a><b/></a>").tag == "a"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"<a>",
        b"<a></b>",
        b"<a/><b/>",
        b"<a/>junk",
        b"<a/>\0",
        b"junk<a/>",
        b"<p:a/>",
        b"<a b='1' b='2'/>",
        b"<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
        b"<a>\x01</a>",
        b"<a>\xff</a>",
        b"<a>&unknown;</a>",
        b"<?xml version='1.0' encoding='nonsense'?><a/>",
        "not ascii: \u00e9".encode("latin-1"),
    ],
)
def test_what_is_not_well_formed_is_refused(data: bytes) -> None:
    refused(data, "xml.well_formed")


def test_comments_are_dropped_and_text_is_read_whole() -> None:
    assert xml.parse(b"<a>admin<!-- x -->.evil<![CDATA[.org]]></a>").text == "admin.evil.org"


def test_comments_around_the_root_are_dropped() -> None:
    assert xml.parse(b"<!-- before --><a/><!-- after -->").tag == "a"


@pytest.mark.parametrize("data", [b"<?p x?><a/>", b"<a/><?p x?>", b"<a><?p x?></a>", b"<a>admin<?p?>.evil</a>"])
def test_a_processing_instruction_is_refused_wherever_it_stands(data: bytes) -> None:
    refused(data, "xml.processing_instruction")


@pytest.mark.parametrize(
    "declaration",
    [
        "<!DOCTYPE a>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'>",
        "<!DOCTYPE a PUBLIC 'x' 'http://127.0.0.1:9/x.dtd'>",
        "<!DOCTYPE a [<!ENTITY e 'text'>]>",
        "<!DOCTYPE a [<!ENTITY % p SYSTEM 'file:///etc/passwd'> %p;]>",
        "<!DOCTYPE a [<!ATTLIST a ID ID 'x'>]>",
        "<!DOCTYPE a [<!NOTATION n SYSTEM 'x'>]>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_a_doctype_is_refused_in_any_encoding(declaration: str, encoding: str) -> None:
    name = "utf-8" if encoding == "utf-8" else "utf-16"
    refused(f"<?xml version='1.0' encoding='{name}'?>{declaration}<a/>".encode(encoding), "xml.doctype")


def test_an_external_entity_is_never_expanded(tmp_path: object) -> None:
    refused(b"<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><a>&e;</a>", "xml.doctype")


def test_a_billion_laughs_end_at_once() -> None:
    entities = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 10))
    document = f"<!DOCTYPE a [<!ENTITY e0 'ha'>{entities}]><a>&e9;</a>"
    with pytest.raises(Malformed):
        xml.parse(document.encode())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "us-ascii", "iso-8859-1"])
def test_the_encodings_of_xml_are_read(encoding: str) -> None:
    assert xml.parse(f"<?xml version='1.0' encoding='{encoding}'?><a>x</a>".encode(encoding)).text == "x"


def test_a_byte_order_mark_is_read_over() -> None:
    assert xml.parse(b"\xef\xbb\xbf<a/>").tag == "a"


@pytest.mark.parametrize("encoding", ["utf-7", "utf-32", "windows-1252", "shift_jis"])
def test_other_encodings_are_refused(encoding: str) -> None:
    refused(f"<?xml version='1.0' encoding='{encoding}'?><a>x</a>".encode(encoding), "xml.encoding")


def test_only_xml_1_0_is_read() -> None:
    refused(b"<?xml version='1.1'?><a/>", "xml.version")


def test_a_document_that_is_too_long_is_not_even_parsed() -> None:
    refused(b"<a/>" + b" " * 100, "xml.size", max_bytes=100)


def test_depth_is_limited() -> None:
    deepest = b"<a>" * xml.MAX_DEPTH + b"</a>" * xml.MAX_DEPTH
    assert xml.parse(deepest).tag == "a"
    refused(b"<a>" + deepest + b"</a>", "xml.depth")
    with pytest.raises(Malformed):
        xml.parse(b"<a>" * 100_000 + b"</a>" * 100_000)


def test_the_number_of_elements_is_limited() -> None:
    refused(b"<a>" + b"<b/>" * 200 + b"</a>", "xml.elements", max_bytes=1000)


def test_the_number_of_attributes_of_an_element_is_limited() -> None:
    attributes = " ".join(f"a{n}='x'" for n in range(xml.MAX_ATTRIBUTES + 1))
    refused(f"<a {attributes}/>".encode(), "xml.attributes")


def test_the_number_of_namespaces_declared_on_an_element_is_limited() -> None:
    declarations = " ".join(f"xmlns:p{n}='u:{n}'" for n in range(xml.MAX_NAMESPACES + 1))
    refused(f"<a><b {declarations}/></a>".encode(), "xml.namespaces")
    spread = "".join(f"<b xmlns:p{n}='u:{n}'/>" for n in range(xml.MAX_NAMESPACES + 1))
    assert len(xml.parse(f"<a>{spread}</a>".encode())) == xml.MAX_NAMESPACES + 1


def test_the_number_of_namespaces_around_an_element_is_limited() -> None:
    def nested(levels: int) -> bytes:
        starts = "".join(f"<a xmlns:p{n}='u:{n}' xmlns:q{n}='u:{n}'>" for n in range(levels))
        return (starts + "</a>" * levels).encode()

    assert xml.parse(nested(xml.MAX_IN_SCOPE // 2)).tag == "a"
    refused(nested(xml.MAX_IN_SCOPE // 2 + 1), "xml.namespaces")
    beside = "<b xmlns:p='u:p' xmlns:q='u:q'/>" * xml.MAX_IN_SCOPE
    assert len(xml.parse(f"<a>{beside}</a>".encode())) == xml.MAX_IN_SCOPE


# Identifiers


def ids(text: str) -> set[str]:
    return xml.collect_ids(element(text))


def ids_refused(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        ids(text)
    assert caught.value.rule == "xml.ids"


def test_identifiers_are_collected_wherever_a_resolver_might_see_one() -> None:
    text = f"<p:R xmlns:p='{SAMLP}' ID='a'><x Id='b'/><x id='c'/><x xml:id='d'/><x q:ID='e' xmlns:q='u'/></p:R>"
    assert ids(text) == {"a", "b", "c", "d", "e"}


def test_an_identifier_occurs_once_under_any_name() -> None:
    for other in ("ID", "Id", "id", "xml:id"):
        ids_refused(f"<p:R xmlns:p='{SAMLP}' ID='a'><x {other}='a'/></p:R>")
    ids_refused("<r><x q:ID='a' xmlns:q='u'/><x ID='a'/></r>")


def test_identifiers_are_unique_over_several_trees() -> None:
    known = xml.collect_ids(element("<a ID='x'/>"))
    assert xml.collect_ids(element("<b Id='y'/>"), known=known) == {"y"}
    with pytest.raises(Malformed):
        xml.collect_ids(element("<b Id='x'/>"), known=known)


@pytest.mark.parametrize("name", ["Id", "id", "xml:id", "p:ID", "iD"])
def test_a_saml_element_has_an_unprefixed_id_or_none(name: str) -> None:
    ids_refused(f"<p:R xmlns:p='{SAMLP}' {name}='a'/>")


def test_signature_elements_have_an_unprefixed_id_of_their_own_spelling() -> None:
    assert ids(f"<ds:Signature xmlns:ds='{DS}' Id='a'><ds:Object Id='b'/></ds:Signature>") == {"a", "b"}
    for name in ("ID", "id", "xml:id", "ds:Id"):
        ids_refused(f"<ds:Signature xmlns:ds='{DS}' {name}='a'/>")


@pytest.mark.parametrize("value", ["", " a", "1a", "a b", "a:b", "#a", "a'b", "-a", ".a", "a/b", "x" * 257])
def test_a_saml_identifier_is_an_ncname(value: str) -> None:
    ids_refused(f'<p:R xmlns:p="{SAMLP}" ID="{value}"/>')


@pytest.mark.parametrize("value", ["a", "_a", "_-.0", "A.b-c", "\u00e9l\u00e9ment", "x" * 256])
def test_every_ncname_of_bearable_length_is_an_identifier(value: str) -> None:
    assert ids(f'<p:R xmlns:p="{SAMLP}" ID="{value}"/>') == {value}


def test_a_foreign_element_may_number_itself_as_it_likes() -> None:
    assert ids("<r><x id='1'/><x id='two words'/></r>") == {"1", "two words"}


# Reading

SHAPE = xml.Shape(xml.one("a"), xml.maybe("b"), xml.several("c", "d", most=3))


@pytest.mark.parametrize("inside", ["<a/>", "<a/><b/>", "<a/><c/><d/><c/>", "\n <a/>\t<b/>\r\n<d/> "])
def test_children_in_schema_order_are_read(inside: str) -> None:
    assert SHAPE.read(element(f"<r>{inside}</r>")).only("a").tag == "a"


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "<b/>",
        "<b/><a/>",
        "<a/><a/>",
        "<a/><b/><b/>",
        "<a/><c/><b/>",
        "<a/><c/><c/><d/><d/>",
        "<a/><z/>",
        "<x:a xmlns:x='u'/>",
        "text<a/>",
        "<a/>text",
        "<a/>\u00a0",
    ],
)
def test_any_other_arrangement_is_malformed(inside: str) -> None:
    with pytest.raises(Malformed) as caught:
        SHAPE.read(element(f"<r>{inside}</r>"))
    assert caught.value.rule == "xml.shape"


def test_children_are_found_by_name() -> None:
    content = SHAPE.read(element("<r><a/><c n='1'/><d/><c n='2'/></r>"))
    assert content.first("b") is None
    assert [child.get("n") for child in content.all("c")] == ["1", "2"]
    assert list(content.all("b")) == []


def test_a_root_of_another_name_is_malformed() -> None:
    assert xml.expect(element("<a/>"), "a").tag == "a"
    with pytest.raises(Malformed) as caught:
        xml.expect(element("<a xmlns='u'/>"), "a")
    assert caught.value.rule == "xml.root"


def test_text_is_taken_as_it_is() -> None:
    assert xml.text(element("<a> x </a>")) == " x "
    assert xml.uri(element("<a>\n  urn:x  </a>")) == "urn:x"


@pytest.mark.parametrize("text", ["<a/>", "<a> \n</a>", "<a>x<b/></a>", "<a><b/>x</a>", "<a>x<b/>y</a>"])
def test_text_is_exactly_one_and_not_blank(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        xml.text(element(text))
    assert caught.value.rule == "xml.text"


def test_attributes_have_their_schema_types() -> None:
    node = element("<a t='true' f='0' n=' 7 ' s='x'/>")
    assert (xml.boolean(node, "t"), xml.boolean(node, "f"), xml.boolean(node, "none")) == (True, False, None)
    assert (xml.unsigned_short(node, "n"), xml.unsigned_short(node, "none")) == (7, None)
    assert xml.required(node, "s") == "x"


@pytest.mark.parametrize("value", ["", "yes", "TRUE", "2", "-0"])
def test_other_booleans_are_malformed(value: str) -> None:
    with pytest.raises(Malformed):
        xml.boolean(element(f"<a b='{value}'/>"), "b")


@pytest.mark.parametrize("value", ["", "-1", "+1", "65536", "1e3", "99999999999999999999", "\u0661"])
def test_other_numbers_are_malformed(value: str) -> None:
    with pytest.raises(Malformed):
        xml.unsigned_short(element(f"<a n='{value}'/>"), "n")


@pytest.mark.parametrize("attributes", ["", "n=''", "n='  '"])
def test_a_required_attribute_is_there_and_not_blank(attributes: str) -> None:
    with pytest.raises(Malformed) as caught:
        xml.required(element(f"<a {attributes}/>"), "n")
    assert caught.value.rule == "xml.attribute"


# The canonical form


def test_the_canonical_form_has_only_the_namespaces_it_uses() -> None:
    node = element("<p:a xmlns:p='u:1' xmlns:q='u:2'><b z='1' a='2'/></p:a>")
    assert xml.canonical(node) == b'<p:a xmlns:p="u:1"><b a="2" z="1"></b></p:a>'
    assert xml.canonical(node, ["q"]) == b'<p:a xmlns:p="u:1" xmlns:q="u:2"><b a="2" z="1"></b></p:a>'


def test_an_element_without_canonical_form_is_refused() -> None:
    with pytest.raises(Malformed) as caught:
        xml.canonical(element("<a xmlns='relative'/>"))
    assert caught.value.rule == "xml.canonical"


def test_lifting_keeps_every_namespace_in_scope() -> None:
    inner = element("<r xmlns='d' xmlns:p='u'><p:a>x</p:a>tail</r>")[0]
    lifted = xml.lift(inner)
    assert lifted.getparent() is None
    assert lifted.nsmap == {None: "d", "p": "u"}
    assert lifted.tail is None
