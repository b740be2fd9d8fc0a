"""A synthetic federation: a signed aggregate of as many entities as one wants, each with keys and texts of its own."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from lxml import etree

from federation.saml import certificates, signature, xml
from federation.saml.names import Binding
from federation.saml.signature import SigningKey
from federation.saml.times import format_instant
from tests.metadata_factories import NAMESPACES, SAML2

ENTITIES = 10_000
LANGUAGES = ("en", "de", "fr", "it", "es")
URI = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"


def write(folder: Path, *, now: datetime, entities: int = ENTITIES, changed: int = 0) -> tuple[Path, Path]:
    """Write the aggregate and its signer's certificate (DER), and answer where they are. 10,000 entities make 66 MB.

    In the first `changed` identity providers something is new.
    """
    key = _signer(now)
    document = "".join(_document(entities, now, changed))
    root = etree.fromstring(document.encode(), etree.XMLParser(huge_tree=True))
    signature.sign(root, key=key)
    aggregate, signer = folder / "aggregate.xml", folder / "signer.der"
    aggregate.write_bytes(b'<?xml version="1.0" encoding="UTF-8"?>\n' + xml.serialise(root))
    signer.write_bytes(key.certificate or b"")
    return aggregate, signer


@cache
def _signer(now: datetime) -> SigningKey:
    return SigningKey.from_pem(*certificates.generate("federation.example.org", now=now))


def _document(entities: int, now: datetime, changed: int) -> Iterator[str]:
    until = format_instant(now + timedelta(days=10))
    yield f'<md:EntitiesDescriptor {NAMESPACES} ID="_synthetic" Name="urn:example:federation" validUntil="{until}">\n'
    chance = random.Random(1)
    for number in range(entities):
        entity = _entity(number, chance)
        yield entity.replace("/slo", "/new/slo") if number % 2 and number < 2 * changed else entity
    yield "</md:EntitiesDescriptor>"


def _entity(number: int, chance: random.Random) -> str:
    site = f"https://site{number}.example.org"
    role = _idp(site, chance) if number % 2 else _sp(site, chance)
    contacts = "".join(
        f"""
    <md:ContactPerson contactType="{kind}">
      <md:GivenName>Person {number}</md:GivenName>
      <md:SurName>{kind.capitalize()}</md:SurName>
      <md:EmailAddress>mailto:{kind}@site{number}.example.org</md:EmailAddress>
    </md:ContactPerson>"""
        for kind in ("technical", "support", "administrative")
    )
    names = "".join(
        f"""
      <md:{tag} xml:lang="{language}">{text}</md:{tag}>"""
        for tag, text in (
            ("OrganizationName", f"Organisation {number}"),
            ("OrganizationDisplayName", f"The Organisation of Site {number}"),
            ("OrganizationURL", f"{site}/about"),
        )
        for language in LANGUAGES[:2]
    )
    return f"""  <md:EntityDescriptor entityID="{site}/saml">
    <md:Extensions>
      <mdrpi:RegistrationInfo registrationAuthority="https://federation{number % 40}.example.org"\
 registrationInstant="2020-01-01T00:00:00Z"/>
      <mdattr:EntityAttributes>
        <saml:Attribute Name="http://macedir.org/entity-category" NameFormat="{URI}">
          <saml:AttributeValue>http://refeds.org/category/research-and-scholarship</saml:AttributeValue>
          <saml:AttributeValue>https://refeds.org/category/code-of-conduct/v2</saml:AttributeValue>
        </saml:Attribute>
      </mdattr:EntityAttributes>
    </md:Extensions>{role}
    <md:Organization>{names}
    </md:Organization>{contacts}
  </md:EntityDescriptor>
"""


def _ui_info(site: str) -> str:
    texts = "".join(
        f"""
          <mdui:DisplayName xml:lang="{language}">The site at {site}</mdui:DisplayName>
          <mdui:Description xml:lang="{language}">What people find at {site}, in one sentence</mdui:Description>"""
        for language in LANGUAGES
    )
    return f"""<mdui:UIInfo>{texts}
          <mdui:PrivacyStatementURL xml:lang="en">{site}/privacy</mdui:PrivacyStatementURL>
          <mdui:Logo height="60" width="80">{site}/logo.png</mdui:Logo>
        </mdui:UIInfo>"""


def _idp(site: str, chance: random.Random) -> str:
    host = site.partition("//")[2]
    return f"""
    <md:IDPSSODescriptor protocolSupportEnumeration="{SAML2}" errorURL="{site}/error">
      <md:Extensions>
        <shibmd:Scope regexp="false">{host}</shibmd:Scope>
        {_ui_info(site)}
      </md:Extensions>{_key("signing", chance)}{_key("encryption", chance)}
      <md:SingleLogoutService Binding="{Binding.REDIRECT}" Location="{site}/slo"/>
      <md:SingleSignOnService Binding="{Binding.REDIRECT}" Location="{site}/sso"/>
      <md:SingleSignOnService Binding="{Binding.POST}" Location="{site}/sso"/>
    </md:IDPSSODescriptor>"""


def _sp(site: str, chance: random.Random) -> str:
    attributes = "".join(
        f"""
        <md:RequestedAttribute Name="urn:oid:2.5.4.{number}" NameFormat="{URI}" FriendlyName="attribute{number}"\
 isRequired="true"/>"""
        for number in range(5)
    )
    return f"""
    <md:SPSSODescriptor protocolSupportEnumeration="{SAML2}" AuthnRequestsSigned="true">
      <md:Extensions>
        {_ui_info(site)}
      </md:Extensions>{_key("signing", chance)}{_key("encryption", chance)}
      <md:SingleLogoutService Binding="{Binding.REDIRECT}" Location="{site}/slo"/>
      <md:AssertionConsumerService Binding="{Binding.POST}" Location="{site}/acs" index="1" isDefault="true"/>
      <md:AttributeConsumingService index="1">
        <md:ServiceName xml:lang="en">{site}</md:ServiceName>{attributes}
      </md:AttributeConsumingService>
    </md:SPSSODescriptor>"""


def _key(use: str, chance: random.Random) -> str:
    """A certificate around a modulus that nobody knows the factors of: cheap to make, and never seen before."""
    der, modulus = _certificate()
    fresh = (chance.getrandbits(2048) | 1 | 1 << 2047).to_bytes(256, "big")
    text = base64.encodebytes(der.replace(modulus, fresh)).decode().strip()
    return f"""
      <md:KeyDescriptor use="{use}">
        <ds:KeyInfo>
          <ds:X509Data>
            <ds:X509Certificate>{text}</ds:X509Certificate>
          </ds:X509Data>
        </ds:KeyInfo>
      </md:KeyDescriptor>"""


@cache
def _certificate() -> tuple[bytes, bytes]:
    """A certificate (DER), and the modulus that stands in it."""
    now = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    der = certificates.load_certificate(certificates.generate("site.example.org", now=now, bits=2048)[1])
    spki = certificates.public_key_of(der)
    # RFC 8017 A.1.1: after the leading zero octet the modulus fills 256 octets, then five of the exponent 65537 follow.
    return der, spki[-261:-5]
