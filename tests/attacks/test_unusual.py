"""Legal but unusual: what real partners send is accepted, however strict we are with everything else."""

# ruff: noqa: E501 - fragments of documents are easier to read in one line

import base64
import zlib
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import pytest
import xmlsec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree
from xmlsec import constants

from federation.saml import signature, xml
from federation.saml.bindings import post, redirect, soap
from federation.saml.codec import assertion as assertion_codec
from federation.saml.codec import authn_request as request_codec
from federation.saml.messages import Attribute, NameID, NameIDPolicy, RequestedAuthnContext, Scoping, Status
from federation.saml.metadata import trust
from federation.saml.names import DS, DSIG11, SAML, SAMLP, XENC, XSI, Algorithm, Binding, NameIDFormat, StatusCode
from federation.saml.profiles import logout
from tests import factories, metadata_factories, trees
from tests.attacks import deliveries
from tests.attacks.catalogue_logout import sent
from tests.attacks.catalogue_requests import posted_request, request, with_extensions
from tests.attacks.forging import A, D, P, encrypted, sign_as
from tests.factories import accept_request, accept_response, assertion, confirmation, envelope, signing_key

D11 = f"{{{DSIG11}}}"
XE = f"{{{XENC}}}"
XS = "http://www.w3.org/2001/XMLSchema"
Change = Callable[[etree._Element], object]


def text_of(**more: object) -> str:
    """An unsigned response as text, to be rewritten."""
    root = trees.response(envelope(), xml.lift(assertion_codec.write(assertion(**more))))
    return xml.serialise(root).decode()


def signed_text(text: str, *, sign: str = "response") -> bytes:
    """Whatever was written, signed by the IdP."""
    root = xml.parse(text.encode())
    element = root if sign == "response" else root.find(f"{A}Assertion")
    assert element is not None
    signature.sign(element, key=signing_key("idp"))
    return xml.serialise(root)


def is_accepted(document: bytes) -> None:
    accepted = accept_response(document)
    assert accepted.name_id is not None
    assert accepted.name_id.value == "_f81d"
    assert ("Alice Archer",) in [attribute.values for attribute in accepted.attributes]


# How a document is written


PREFIXES = f'xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}"'


@pytest.mark.parametrize("sign", ["response", "assertion"])
@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: text.replace("samlp:", "ns0:").replace("saml:", "ns1:").replace(":samlp=", ":ns0=").replace(":saml=", ":ns1="),
        lambda text: text.replace("samlp:", "").replace(":samlp=", "="),
        lambda text: text.replace("<saml:", "<").replace("</saml:", "</").replace(" xmlns:saml=", " xmlns="),
        lambda text: text.replace(f' xmlns:saml="{SAML}"', "").replace("<samlp:Response ", f'<samlp:Response xmlns:saml="{SAML}" '),
        lambda text: text.replace("samlp:", "données:").replace(":samlp=", ":données="),
        lambda text: text.replace("><", ">\n    <"),
        lambda text: text.replace('="', "='").replace('" ', "' ").replace('">', "'>").replace('"/>', "'/>"),
        lambda text: text.replace("_f81d", "&#95;f8&#x31;d"),
        lambda text: text.replace("<saml:Subject>", "<!-- who --><saml:Subject><!-- they are -->"),
        lambda text: text.replace(">Alice Archer<", "><![CDATA[Alice Archer]]><"),
        lambda text: text.replace("<samlp:Response ", f'<samlp:Response xmlns:xsi="{XSI}" xsi:schemaLocation="u:x x.xsd" '),
        lambda text: text.replace("2026-03-04T10:00:00Z", "2026-03-04T10:00:00.123456789Z"),
        lambda text: text.replace("2026-03-04T10:00:00Z", "2026-03-04T11:00:00+01:00"),
        lambda text: text.replace("2026-03-04T10:00:00Z", "2026-03-04T10:00:00"),
        lambda text: text.replace("Version=", 'xmlns:unused="u:unused" Consent="urn:oasis:names:tc:SAML:2.0:consent:unspecified" Version=', 1),
    ],
    ids=range(15),
)  # fmt: skip
def test_a_document_may_be_written_in_many_ways(rewrite: Callable[[str], str], sign: str) -> None:
    text = rewrite(text_of())
    assert text != text_of()
    is_accepted(signed_text(text, sign=sign))


@pytest.mark.parametrize(
    "encode",
    [
        lambda document: b"<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\r\n" + document + b"\r\n",
        lambda document: b"\xef\xbb\xbf" + document,
        lambda document: ("<?xml version='1.0' encoding='UTF-16'?>" + document.decode()).encode("utf-16"),
        lambda document: b"<?xml version='1.0' encoding='ISO-8859-1'?>" + document,
        lambda document: b"<!-- from here --> " + document + b" <!-- to here -->\n",
    ],
    ids=range(5),
)
def test_a_document_may_be_encoded_in_many_ways(encode: Callable[[bytes], bytes]) -> None:
    is_accepted(encode(signed_text(text_of())))


# What is in a response


def attribute_statement(inner: str) -> Change:
    """One more AttributeStatement."""

    def change(element: etree._Element) -> None:
        namespaces = f'xmlns:saml="{SAML}" xmlns:xs="{XS}" xmlns:xsi="{XSI}" xmlns:x500="urn:x500"'
        element.append(etree.fromstring(f"<saml:AttributeStatement {namespaces}>{inner}</saml:AttributeStatement>"))

    return change


@pytest.mark.parametrize(
    ("inner", "values"),
    [
        ('<saml:AttributeValue xsi:type="xs:string">x</saml:AttributeValue>', ("x",)),
        ('<saml:AttributeValue xsi:type="xs:anyType">x</saml:AttributeValue>', ("x",)),
        ('<saml:AttributeValue xsi:type="xs:integer"> 7 </saml:AttributeValue>', (" 7 ",)),
        ('<saml:AttributeValue xsi:nil="true"/>', ()),
        ('<saml:AttributeValue xsi:nil="1"/><saml:AttributeValue>x</saml:AttributeValue>', ("x",)),
        ("<saml:AttributeValue/>", ("",)),
        ("", ()),
        ('<saml:AttributeValue xml:lang="de" xml:space="preserve"> ä </saml:AttributeValue>', (" ä ",)),
        (f"<saml:AttributeValue>{'v' * 256}</saml:AttributeValue>", ("v" * 256,)),
        (f"<saml:AttributeValue>{'v' * 20_000}</saml:AttributeValue>", ("v" * 20_000,)),
        ("<saml:AttributeValue><saml:NameID>x</saml:NameID></saml:AttributeValue>", ("x",)),
        ("<saml:AttributeValue><x>structured</x></saml:AttributeValue>", ()),
        ("<saml:AttributeValue>a<!-- b -->c</saml:AttributeValue>", ("ac",)),
        ("".join(f"<saml:AttributeValue>{n}</saml:AttributeValue>" for n in range(500)), tuple(map(str, range(500)))),
    ],
    ids=range(14),
)  # fmt: skip
def test_attribute_values_of_every_kind_are_read(inner: str, values: tuple[str, ...]) -> None:
    attribute = f'<saml:Attribute Name="urn:x" x500:Encoding="LDAP">{inner}</saml:Attribute>'
    document = factories.signed_response(change_assertion=attribute_statement(attribute))
    accepted = accept_response(document)
    assert accepted.attributes[-1] == Attribute("urn:x", values)
    assert accepted.attributes[:3] == factories.ATTRIBUTES, "and those of the first statement"


def inserted(position: int, fragment: str) -> Change:
    """A fragment of a document as a child."""

    def change(element: etree._Element) -> None:
        root = etree.fromstring(f'<x {PREFIXES} xmlns:ds="{DS}">{fragment}</x>')
        element.insert(position, root[0])

    return change


@pytest.mark.parametrize(
    "change",
    [
        inserted(3, "<saml:Advice><saml:AssertionIDRef>_x</saml:AssertionIDRef></saml:Advice>"),
        inserted(3, '<saml:Advice><saml:Assertion ID="_adv" Version="2.0" IssueInstant="2026-03-04T10:00:00Z"><saml:Issuer>x</saml:Issuer></saml:Assertion></saml:Advice>'),
        inserted(3, '<saml:AuthzDecisionStatement Resource="x" Decision="Permit"><saml:Action Namespace="u:x">x</saml:Action></saml:AuthzDecisionStatement>'),
        lambda element: element[3].insert(0, etree.Element(f"{A}SubjectLocality", Address="192.0.2.1")),
        lambda element: etree.SubElement(element[3][0], f"{A}AuthnContextDeclRef").__setattr__("text", "urn:x"),
        lambda element: etree.SubElement(element[3][0], f"{A}AuthenticatingAuthority").__setattr__("text", "urn:x"),
        lambda element: etree.SubElement(element[2], f"{A}OneTimeUse"),
        lambda element: etree.SubElement(etree.SubElement(element[2], f"{A}ProxyRestriction", Count="0"), f"{A}Audience").__setattr__("text", "urn:x"),
        lambda element: element[0].set("Format", NameIDFormat.ENTITY),
        lambda element: element[1][0].set("SPProvidedID", "x"),
        lambda element: element[1][0].attrib.clear(),
        lambda element: element[1][1].insert(0, etree.fromstring(f'<saml:NameID xmlns:saml="{SAML}">the presenter</saml:NameID>')),
        lambda element: element[1].insert(1, etree.Element(f"{A}SubjectConfirmation", Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key")),
        lambda element: element[1][1][0].append(etree.fromstring(f'<ds:KeyInfo xmlns:ds="{DS}"><ds:KeyName>x</ds:KeyName></ds:KeyInfo>')),
        lambda element: element[1][1][0].set("{urn:x}hint", "x"),
    ],
    ids=range(15),
)  # fmt: skip
def test_an_assertion_may_hold_more_than_we_need(change: Change) -> None:
    is_accepted(factories.signed_response(change_assertion=change))
    is_accepted(factories.signed_response(change_assertion=change, sign="assertion"))


@pytest.mark.parametrize(
    "change",
    [
        inserted(1, '<samlp:Extensions><x xmlns="urn:x">y</x></samlp:Extensions>'),
        lambda root: etree.SubElement(root[1], f"{P}StatusMessage").__setattr__("text", "all is well"),
        lambda root: etree.SubElement(root[1], f"{P}StatusDetail").append(etree.Element("{urn:x}Cause")),
        lambda root: etree.SubElement(etree.SubElement(root[1][0], f"{P}StatusCode", Value="urn:x"), f"{P}StatusCode", Value="urn:y"),
        lambda root: root.set("Consent", "urn:oasis:names:tc:SAML:2.0:consent:obtained"),
        lambda root: root.set("ID", "id" + "a" * 250),
        lambda root: root.set("ID", "a.b-c_d"),
        lambda root: root[0].set("Format", NameIDFormat.ENTITY),
    ],
    ids=range(8),
)  # fmt: skip
def test_an_envelope_may_hold_more_than_we_need(change: Change) -> None:
    is_accepted(factories.signed_response(change=change))


def test_one_good_confirmation_among_others_is_enough() -> None:
    other = confirmation(recipient="https://other.example.net/acs")
    for pair in ((other, confirmation()), (confirmation(), other)):
        is_accepted(factories.signed_response(assertion(subject_confirmations=pair)))


def test_several_audiences_in_one_restriction_are_alternatives() -> None:
    usual = assertion().conditions
    assert usual is not None
    both = replace(usual, audience_restrictions=((factories.OTHER_SP, factories.SP), (factories.SP,)))
    is_accepted(factories.signed_response(assertion(conditions=both)))


# Signatures


def lines(element: etree._Element) -> None:
    """Break a base64 text into lines, as many senders do."""
    text = element.text or ""
    element.text = "\n" + "\n".join(text[start : start + 64] for start in range(0, len(text), 64)) + "\n"


def hints(*tags: str) -> Change:
    """A KeyInfo of other kinds than ours, which is never used."""

    def change(block: etree._Element) -> None:
        info = etree.SubElement(block, f"{D}KeyInfo")
        for tag in tags:
            parent = info
            for name in tag.split("/"):
                parent = etree.SubElement(parent, f"{D11 if name == 'DEREncodedKeyValue' else D}{name}")
            parent.text = "QUJD"

    return change


@pytest.mark.parametrize(
    "more",
    [
        {"change": lambda block: lines(block[1])},
        {"change_signed_info": lambda info: lines(info[2][2])},
        {"change": hints()},
        {"change": hints("KeyName")},
        {"change": hints("DEREncodedKeyValue")},
        {"change": hints("KeyName", "X509Data/X509Certificate", "KeyValue/RSAKeyValue/Modulus")},
        {"change": hints("X509Data/X509IssuerSerial/X509IssuerName", "X509Data/X509SKI", "X509Data/X509SubjectName")},
        {"change": lambda block: block.set("Id", "_signature")},
        {"change_signed_info": lambda info: info.set("Id", "_info")},
    ],
    ids=range(9),
)
def test_a_signature_may_be_written_in_many_ways(more: dict[str, Change]) -> None:
    root = trees.response(envelope(), xml.lift(assertion_codec.write(assertion())))
    sign_as(root, **more)  # type: ignore[arg-type]
    is_accepted(xml.serialise(root))


@pytest.mark.parametrize("prefixes", ["xs", "xs xsi saml", "samlp", "#default xs"])
@pytest.mark.parametrize("place", ["reference", "both"])
def test_prefixes_may_be_canonicalised_inclusively(prefixes: str, place: str) -> None:
    """As xmlsec does it, signing by itself, for senders that type their values."""
    text = text_of().replace("<samlp:Response ", f'<samlp:Response xmlns:xs="{XS}" xmlns:xsi="{XSI}" ')
    text = text.replace("<saml:AttributeValue>", '<saml:AttributeValue xsi:type="xs:string">')
    root = xml.parse(text.encode())
    signed_inclusively(root, prefixes, place)
    is_accepted(etree.tostring(root))


@pytest.mark.parametrize("sign", ["Response", "Assertion"])
def test_the_default_namespace_may_be_canonicalised_inclusively(sign: str) -> None:
    """Where nothing in what is signed uses it, it makes a difference: the signer wrote it out, and so must we."""
    text = text_of().replace("<samlp:", "<").replace("</samlp:", "</").replace("xmlns:samlp=", "xmlns=")
    text = text.replace("<saml:Subject>", '<saml:Subject xmlns="urn:unused">')
    root = xml.parse(text.encode())
    element = next(root.iter(f"{P}Response", f"{A}Assertion") if sign == "Response" else root.iter(f"{A}Assertion"))
    signed_inclusively(element, "#default", "both")
    is_accepted(etree.tostring(root))


def signed_inclusively(root: etree._Element, prefixes: str, place: str) -> None:
    """Have xmlsec sign an element, with prefixes that are canonicalised inclusively."""
    block = xmlsec.template.create(root, constants.TransformExclC14N, constants.TransformRsaSha256)
    root.insert(1, block)
    reference = xmlsec.template.add_reference(block, constants.TransformSha256, uri=f"#{root.get('ID')}")
    xmlsec.template.add_transform(reference, constants.TransformEnveloped)
    transform = xmlsec.template.add_transform(reference, constants.TransformExclC14N)
    xmlsec.template.transform_add_c14n_inclusive_namespaces(transform, prefixes.split())
    if place == "both":
        method = next(child for child in block[0] if str(child.tag).endswith("CanonicalizationMethod"))
        etree.SubElement(method, f"{{{Algorithm.EXC_C14N}}}InclusiveNamespaces", PrefixList=prefixes)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(factories.key_pair("idp")[0], constants.KeyDataFormatPem)
    context.register_id(root, "ID")
    context.sign(block)


def test_an_encrypted_assertion_may_be_written_in_many_ways() -> None:
    element = xml.lift(assertion_codec.write(assertion()))
    signature.sign(element, key=signing_key("idp"))

    def beside(wrapper: etree._Element) -> None:
        """The wrapped key beside the data, found by a RetrievalMethod."""
        info = next(wrapper.iter(f"{D}KeyInfo"))
        key = info[0]
        key.set("Id", "_key")
        wrapper.append(key)
        etree.SubElement(info, f"{D}RetrievalMethod", URI="#_key", Type=f"{XENC}EncryptedKey")

    def broken(wrapper: etree._Element) -> None:
        for value in wrapper.iter(f"{XE}CipherValue"):
            lines(value)

    def named(wrapper: etree._Element) -> None:
        next(wrapper.iter(f"{D}KeyInfo")).insert(0, etree.Element(f"{D}KeyName"))
        wrapper[0].set("MimeType", "text/xml")
        wrapper[0].set("Id", "_data")
        wrapper[0].attrib.pop("Type")

    def described(wrapper: etree._Element) -> None:
        """Properties of the data and of the key, and a key in the hints."""
        data, key = wrapper[0], next(wrapper.iter(f"{XE}EncryptedKey"))
        for holder in (data, key):
            etree.SubElement(etree.SubElement(holder, f"{XE}EncryptionProperties"), f"{XE}EncryptionProperty")
        info = etree.Element(f"{D}KeyInfo")
        etree.SubElement(info, f"{D11}DEREncodedKeyValue").text = "QUJD"
        key.insert(1, info)

    def labelled(wrapper: etree._Element) -> None:
        """The content key wrapped anew, with octets that OAEP mixes in (XML Encryption 5.5.2)."""
        key = next(wrapper.iter(f"{XE}EncryptedKey"))
        value = next(key.iter(f"{XE}CipherValue"))
        private = serialization.load_pem_private_key(factories.key_pair("sp-encryption")[0], None)
        assert isinstance(private, rsa.RSAPrivateKey)
        mask = padding.MGF1(hashes.SHA1())

        def oaep(label: bytes | None) -> padding.OAEP:
            named = next(key.iter(f"{D}DigestMethod")).get("Algorithm")
            digest = hashes.SHA256() if named == Algorithm.SHA256 else hashes.SHA1()
            return padding.OAEP(mgf=mask, algorithm=digest, label=label)

        content_key = private.decrypt(base64.b64decode(value.text or ""), oaep(None))
        value.text = base64.b64encode(private.public_key().encrypt(content_key, oaep(b"agreed"))).decode()
        params = etree.Element(f"{XE}OAEPparams")
        params.text = base64.b64encode(b"agreed").decode()
        key[0].insert(0, params)

    for change in (beside, broken, named, described, labelled):
        root = trees.response(envelope(), encrypted(element, change))
        is_accepted(xml.serialise(root))


def test_a_form_s_base64_may_have_lines_and_others_fields_beside_it() -> None:
    text = base64.encodebytes(factories.signed_response()).decode().replace("\n", "\r\n")
    received = post.decode([("SAMLResponse", text), ("RelayState", ""), ("submit", "Continue"), ("submit", "again")])
    is_accepted(received.xml)


# Requests


@pytest.mark.parametrize(
    "more",
    [
        {"name_id_policy": None},
        {"name_id_policy": NameIDPolicy()},
        {"name_id_policy": NameIDPolicy(allow_create=False)},
        {"name_id_policy": NameIDPolicy(format=NameIDFormat.UNSPECIFIED, allow_create=True)},
        {"name_id_policy": NameIDPolicy(sp_name_qualifier=factories.SP)},
        {"assertion_consumer_service_url": None, "protocol_binding": None},
        {"assertion_consumer_service_url": None, "protocol_binding": None, "assertion_consumer_service_index": 0},
        {"requested_authn_context": RequestedAuthnContext(("urn:x", "urn:y"), "better")},
        {"scoping": Scoping(proxy_count=0, requester_ids=("urn:x",))},
        {"scoping": Scoping(proxy_count=4_294_967_296)},
        {"scoping": Scoping(idp_list=("https://other.example.net", factories.IDP))},
        {"provider_name": "Ünïcode & <friends>", "consent": "urn:oasis:names:tc:SAML:2.0:consent:prior"},
        {"subject": NameID("alice@example.org", NameIDFormat.EMAIL)},
        {"is_passive": True, "force_authn": True},
    ],
    ids=range(14),
)
def test_a_request_may_leave_out_or_ask_for_much(more: dict[str, object]) -> None:
    assert accept_request(request(**more)).signed


@pytest.mark.parametrize(
    "change",
    [
        with_extensions(etree.fromstring('<x xmlns="urn:x"><y/></x>')),
        lambda element: element.set("ForceAuthn", "0"),
        lambda element: element.set("IsPassive", " false "),
        lambda element: element.set("IssueInstant", "2026-03-04T10:00:00.5+00:00"),
        lambda element: element.set("{urn:x}unknown", "x"),
        lambda element: element.append(etree.Element(f"{A}Conditions")),
        lambda element: element[0].set("Format", NameIDFormat.ENTITY),
        lambda element: element.append(etree.Element(f"{P}RequestedAuthnContext", Comparison="exact")),
    ],
    ids=range(8),
)
@pytest.mark.conformance("IIP-EXT01")
def test_a_request_may_hold_more_than_we_need(change: Change) -> None:
    assert accept_request(posted_request(change, signed=True)).signed


def signed_query(*parts: str) -> bytes:
    """A query that the SP has signed as it stands."""
    value = signing_key("sp").sign("&".join(parts).encode(), Algorithm.RSA_SHA256)
    return "&".join([*parts, f"Signature={quote(factories.base64_text(value), safe='')}"]).encode()


def lower_escapes(text: str) -> str:
    first, *escaped = text.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in escaped)])


@pytest.mark.parametrize("write", [str, lower_escapes, lambda text: text.replace("%2F", "/").replace("%3A", ":")])
@pytest.mark.parametrize("state", [None, "", "a%20b", "a+b", "https%3a%2f%2fsp.example.com%2f%c3%bc"])
def test_a_query_is_verified_however_it_is_escaped(write: Callable[[str], str], state: str | None) -> None:
    compressor = zlib.compressobj(wbits=-15)
    document = xml.serialise(request_codec.write(factories.request()))
    message = quote(base64.b64encode(compressor.compress(document) + compressor.flush()), safe="")
    parts = [f"SAMLRequest={write(message)}"]
    if state is not None:
        parts.append(f"RelayState={state}")
    parts.append(f"SigAlg={write(quote(Algorithm.RSA_SHA256, safe=''))}")
    query = signed_query(*parts)
    for sent_query in (
        query,
        query + b"&SAMLEncoding=" + quote(redirect.DEFLATE, safe="").encode(),
        b"x=1&" + query + b"&",
    ):
        assert accept_request(redirect.decode(sent_query)).signed


# Logout


@pytest.mark.parametrize(
    "more",
    [
        {"name_id": NameID("_f81d")},
        {"name_id": NameID("_f81d", NameIDFormat.TRANSIENT)},
        {"session_indexes": ()},
        {"session_indexes": tuple(f"_s{n}" for n in range(200))},
        {"not_on_or_after": None},
        {"reason": None},
        {"reason": "urn:oasis:names:tc:SAML:2.0:logout:global-timeout"},
        {"asynchronous": True},
    ],
    ids=range(8),
)
def test_a_logout_request_may_leave_out_or_say_much(more: dict[str, object]) -> None:
    message = replace(deliveries.logout_request(), **more)  # type: ignore[arg-type]
    accepted = logout.accept_request(sent(message), deliveries.at_slo()).request
    assert accepted == message
    assert logout.names(accepted.name_id, NameID("_f81d", NameIDFormat.TRANSIENT, factories.IDP, factories.SP))
    assert logout.accept_request(soap.decode(logout.envelope(message, key=signing_key("sp"))), deliveries.at_slo())


@pytest.mark.parametrize(
    "status",
    [
        Status(StatusCode.SUCCESS, message="bye"),
        Status(StatusCode.SUCCESS, StatusCode.PARTIAL_LOGOUT),
        Status(StatusCode.RESPONDER, StatusCode.PARTIAL_LOGOUT),
        Status(StatusCode.REQUESTER, "urn:x:unheard-of"),
    ],
)
def test_a_logout_answer_may_say_anything_about_its_outcome(status: Status) -> None:
    message = replace(deliveries.logout_response(), status=status)
    assert logout.accept_response(sent(message), deliveries.at_slo()).response.status == status


def test_a_soap_envelope_may_have_headers_and_another_prefix() -> None:
    document = logout.envelope(deliveries.logout_request(), key=signing_key("sp"))
    opened = document.replace(b"soap11:", b"SOAP-ENV:").replace(b":soap11=", b":SOAP-ENV=")
    header = b'<SOAP-ENV:Header><x xmlns="urn:x" SOAP-ENV:mustUnderstand="0"/></SOAP-ENV:Header>\n  <SOAP-ENV:Body>\n'
    opened = b"<?xml version='1.0'?>\n" + opened.replace(b"<SOAP-ENV:Body>", header)
    received = soap.decode(opened)
    assert received.binding == Binding.SOAP
    assert logout.accept_request(received, deliveries.at_slo())


# Metadata


def test_metadata_may_hold_other_protocols_and_stand_in_another_order() -> None:
    shibboleth_1 = '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol"/>'
    other = (
        '<md:RoleDescriptor xmlns:fed="urn:fed" xmlns:xsi="'
        + XSI
        + '" xsi:type="fed:SecurityTokenServiceType" protocolSupportEnumeration="urn:fed"/>'
    )
    organisation = '<md:Organization><md:OrganizationName xml:lang="en">x</md:OrganizationName><md:OrganizationDisplayName xml:lang="en">x</md:OrganizationDisplayName><md:OrganizationURL xml:lang="en">https://x.example</md:OrganizationURL></md:Organization>'  # fmt: skip
    roles = shibboleth_1 + other + organisation + metadata_factories.sp_role_xml() + "<md:Extensions/>"
    document = metadata_factories.entity_xml(roles, attributes='validUntil="2026-03-20T00:00:00.5Z"')
    trusted = trust.verify(
        metadata_factories.signed(document, "signer"),
        now=metadata_factories.NOW,
        own_entity_id="https://own.example.org",
        role="sp",
        signer_fingerprints=(metadata_factories.fingerprint_of("signer"),),
    )
    assert trusted.entity.sp is not None
