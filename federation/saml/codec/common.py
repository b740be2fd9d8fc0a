"""What requests, responses and assertions have in common: identifiers of subjects and issuers (SAML Core 2.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from lxml import etree

from federation.errors import Malformed
from federation.saml import xml
from federation.saml.messages import NameID
from federation.saml.names import DS, SAML, SAMLP, NameIDFormat
from federation.saml.times import parse_instant

A: Final = f"{{{SAML}}}"
P: Final = f"{{{SAMLP}}}"

ISSUER: Final = f"{A}Issuer"
NAME_ID: Final = f"{A}NameID"
ENCRYPTED_ID: Final = f"{A}EncryptedID"
SUBJECT: Final = f"{A}Subject"
SUBJECT_CONFIRMATION: Final = f"{A}SubjectConfirmation"
CONDITIONS: Final = f"{A}Conditions"
SIGNATURE: Final = f"{{{DS}}}Signature"
EXTENSIONS: Final = f"{P}Extensions"


def read_issuer(element: etree._Element) -> str:
    """The entityID in an Issuer (SAML Core 2.2.5): its Format is entity or absent (SAML Profiles 4.1.4).

    Raises `Malformed` (rules `xml.text`, `message.issuer_format`).
    """
    if element.get("Format", NameIDFormat.ENTITY) != NameIDFormat.ENTITY:
        raise Malformed("message.issuer_format", "the Issuer is not an entityID")
    return xml.text(element)


def read_instant(element: etree._Element, name: str) -> datetime | None:
    """An attribute of type xs:dateTime, None when absent. Raises `Malformed` (rule `times.instant`)."""
    value = element.get(name)
    return None if value is None else parse_instant(value)


def read_name_id(element: etree._Element) -> NameID:
    """A NameID (SAML Core 2.2.3). Raises `Malformed` (rule `xml.text`)."""
    return NameID(
        value=xml.text(element),
        format=element.get("Format"),
        name_qualifier=element.get("NameQualifier"),
        sp_name_qualifier=element.get("SPNameQualifier"),
        sp_provided_id=element.get("SPProvidedID"),
    )


def write_name_id(parent: xml.Element, name_id: NameID) -> None:
    """Append a NameID."""
    xml.add(
        parent,
        NAME_ID,
        name_id.value,
        {
            "Format": name_id.format,
            "NameQualifier": name_id.name_qualifier,
            "SPNameQualifier": name_id.sp_name_qualifier,
            "SPProvidedID": name_id.sp_provided_id,
        },
    )
