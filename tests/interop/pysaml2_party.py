"""pysaml2's engine as the other party, its cryptography done by xmlsec in this process instead of by the program."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xmlsec
from lxml import etree
from xmlsec import constants

from federation.saml.names import DS, SAML, Algorithm, NameIDFormat
from tests import factories

with warnings.catch_warnings():
    # It announces that it uses a cipher mode that will go; nothing here uses that mode.
    warnings.simplefilter("ignore")
    from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
    from saml2.client import Saml2Client
    from saml2.config import IdPConfig, SPConfig
    from saml2.pack import make_soap_enveloped_saml_thingy
    from saml2.saml import NameID
    from saml2.samlp import response_from_string
    from saml2.server import Server
    from saml2.sigver import CryptoBackend, XmlsecError, pre_encrypt_assertion

MD_IDP = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="{ds}" entityID="{entity_id}">
<md:IDPSSODescriptor WantAuthnRequestsSigned="true"
 protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}
<md:SingleSignOnService Binding="{redirect}" Location="{url}"/>
<md:SingleSignOnService Binding="{post}" Location="{url}"/></md:IDPSSODescriptor></md:EntityDescriptor>"""
MD_SP = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="{ds}" entityID="{entity_id}">
<md:SPSSODescriptor AuthnRequestsSigned="true" WantAssertionsSigned="false"
 protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}
<md:AssertionConsumerService Binding="{post}" Location="{url}" index="0"/></md:SPSSODescriptor></md:EntityDescriptor>"""


class InProcess(CryptoBackend):  # type: ignore[misc]
    """xmlsec behind the seam that pysaml2 has for cryptography."""

    @property
    def version(self) -> str:
        return "1.3.0"

    def sign_statement(self, statement: Any, node_name: str, key_file: str, node_id: str | None) -> str:
        root = etree.fromstring(str(statement).encode() if not isinstance(statement, bytes) else statement)
        node = self._node(root, node_name, node_id)
        block = node.find(f"{{{DS}}}Signature")
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_file(key_file, constants.KeyDataFormatPem)
        context.register_id(node, "ID")
        context.sign(block)
        return etree.tostring(root).decode()

    def validate_signature(
        self, signedtext: str | bytes, cert_file: str, cert_type: str, node_name: str, node_id: str | None
    ) -> bool:
        root = etree.fromstring(signedtext.encode() if isinstance(signedtext, str) else signedtext)
        node = self._node(root, node_name, node_id)
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_file(cert_file, constants.KeyDataFormatCertPem)
        context.register_id(node, "ID")
        try:
            context.verify(node.find(f"{{{DS}}}Signature"))
        except xmlsec.Error as error:
            raise XmlsecError(str(error)) from error
        return True

    def decrypt(self, enctext: str | bytes, key_file: str) -> str:
        root = etree.fromstring(enctext.encode() if isinstance(enctext, str) else enctext)
        data = next(root.iter("{http://www.w3.org/2001/04/xmlenc#}EncryptedData"))
        manager = xmlsec.KeysManager()
        manager.add_key(xmlsec.Key.from_file(key_file, constants.KeyDataFormatPem))
        try:
            xmlsec.EncryptionContext(manager).decrypt(data)
        except xmlsec.Error as error:
            raise XmlsecError(str(error)) from error
        return etree.tostring(root).decode()

    def encrypt(self, *arguments: Any, **more: Any) -> str:
        raise XmlsecError("this party does not encrypt")

    def encrypt_assertion(self, statement: Any, enc_key: str, template: Any, *_: Any, **_more: Any) -> str:
        """Encrypt with AES-GCM, whatever the template says: it names a cipher that nobody should accept."""
        document = statement if isinstance(statement, str) else str(pre_encrypt_assertion(statement))
        root = etree.fromstring(document.encode())
        whole = etree.fromstring(str(template).encode())
        whole[0].set("Algorithm", Algorithm.AES256_GCM)
        manager = xmlsec.KeysManager()
        manager.add_key(xmlsec.Key.from_file(enc_key, constants.KeyDataFormatCertPem))
        context = xmlsec.EncryptionContext(manager)
        context.key = xmlsec.Key.generate(constants.KeyDataAes, 256, constants.KeyDataTypeSession)
        context.encrypt_xml(whole, next(root.iter(f"{{{SAML}}}Assertion")))
        return etree.tostring(root).decode()

    def _node(self, root: etree._Element, node_name: str, node_id: str | None) -> etree._Element:
        namespace, _, local = node_name.rpartition(":")
        for node in root.iter(f"{{{namespace}}}{local}"):
            if node_id in (None, node.get("ID")):
                return node
        raise XmlsecError("no such node")


def _files(folder: Path, name: str) -> tuple[str, str]:
    """A key and its certificate as files, which is how pysaml2 wants them."""
    private, certificate = factories.key_pair(name)
    paths = folder / f"{name}.key", folder / f"{name}.crt"
    for path, octets in zip(paths, (private, certificate), strict=True):
        path.write_bytes(octets)
    return str(paths[0]), str(paths[1])


def _key(name: str, use: str) -> str:
    lines = factories.key_pair(name)[1].decode().splitlines()[1:-1]
    return (
        f'<md:KeyDescriptor use="{use}"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{"".join(lines)}'
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )


def _common(entity_id: str, folder: Path, key: str, partner: str, service: dict[str, Any]) -> dict[str, Any]:
    key_file, cert_file = _files(folder, key)
    decryption, decryption_cert = _files(folder, "sp-encryption")
    return {
        "entityid": entity_id,
        "key_file": key_file,
        "cert_file": cert_file,
        "encryption_keypairs": [{"key_file": decryption, "cert_file": decryption_cert}],
        "metadata": {"inline": [partner]},
        "xmlsec_binary": sys.executable,
        "allow_unknown_attributes": True,
        "service": service,
    }


def _with_backend(entity: Any) -> Any:
    entity.sec.crypto = InProcess()
    entity.metadata.security.crypto = InProcess()
    return entity


def service_provider(
    folder: Path,
    *,
    entity_id: str = factories.SP,
    partner: str | None = None,
    consumers: Sequence[tuple[str, str]] = ((factories.ACS_URL, BINDING_HTTP_POST),),
    single_logout: Sequence[tuple[str, str]] = (),
) -> Saml2Client:
    """pysaml2 as our SP, which knows our IdP: by its metadata in `partner`. Endpoints are location and binding."""
    partner = partner or MD_IDP.format(
        ds=DS,
        entity_id=factories.IDP,
        keys=_key("idp", "signing"),
        url=factories.SSO_URL,
        redirect=BINDING_HTTP_REDIRECT,
        post=BINDING_HTTP_POST,
    )
    service = {
        "sp": {
            "endpoints": {
                "assertion_consumer_service": list(consumers),
                "single_logout_service": list(single_logout),
            },
            "authn_requests_signed": True,
            "logout_requests_signed": True,
            "logout_responses_signed": True,
            "want_response_signed": False,
            "want_assertions_signed": False,
            "want_assertions_or_response_signed": True,
            "allow_unsolicited": False,
        }
    }
    return _with_backend(Saml2Client(SPConfig().load(_common(entity_id, folder, "sp", partner, service))))


def identity_provider(
    folder: Path,
    *,
    partner: str | None = None,
    single_logout: Sequence[tuple[str, str]] = (),
    program: str | None = None,
) -> Server:
    """pysaml2 as our IdP, which knows our SP: by its metadata in `partner`. `single_logout`: location and binding.

    Its cryptography is done by `program`, where one is named.
    """
    partner = partner or MD_SP.format(
        ds=DS,
        entity_id=factories.SP,
        keys=_key("sp", "signing") + _key("sp-encryption", "encryption"),
        url=factories.ACS_URL,
        post=BINDING_HTTP_POST,
    )
    service = {
        "idp": {
            "endpoints": {
                "single_sign_on_service": [
                    (factories.SSO_URL, BINDING_HTTP_REDIRECT),
                    (factories.SSO_URL, BINDING_HTTP_POST),
                ],
                "single_logout_service": list(single_logout),
            },
            "want_authn_requests_signed": True,
            "name_id_format": [NameIDFormat.TRANSIENT],
        }
    }
    settings = _common(factories.IDP, folder, "idp", partner, service)
    if program is not None:
        return Server(config=IdPConfig().load(settings | {"xmlsec_binary": program}))
    return _with_backend(Server(config=IdPConfig().load(settings)))


def name_id(value: str, name_format: str | None, name_qualifier: str | None) -> NameID:
    """A NameID of pysaml2's."""
    return NameID(text=value, format=name_format, name_qualifier=name_qualifier)


def as_response(document: bytes) -> Any:
    """A Response of pysaml2's."""
    return response_from_string(document)


def enveloped(message: str) -> bytes:
    """A message in an envelope, as pysaml2 makes one."""
    return str(make_soap_enveloped_saml_thingy(message)).encode()


def now() -> datetime:
    """The time on the clock, which is the only one that pysaml2 knows."""
    return datetime.now(UTC).replace(microsecond=0)
