"""Writing an entity as an EntityDescriptor (SAML Metadata 2.3.2), with pysaml2's element classes as the vocabulary.

The classes keep the children in schema order. Their objects never leave this package: octets do.
"""

from __future__ import annotations

from typing import Final

from saml2 import SamlBase, element_to_extension_element, md, saml
from saml2.extension import mdattr, mdrpi

from federation.errors import ConfigurationError, Malformed
from federation.saml import names, times, xml
from federation.saml.codec.metadata_roles import idp_descriptor, sp_descriptor
from federation.saml.metadata.entity import Contact, Entity, Organization
from federation.saml.names import REMD, NameFormat

PREFIXES: Final = {
    "md": names.MD,
    "ds": names.DS,
    "dsig11": names.DSIG11,
    "saml": names.SAML,
    "mdui": names.MDUI,
    "mdattr": names.MDATTR,
    "mdrpi": names.MDRPI,
    "shibmd": names.SHIBMD,
    "alg": names.ALG,
    "idpdisc": names.IDPDISC,
    "init": names.REQINIT,
    "remd": names.REMD,
    "xenc": names.XENC,
}


def entity_descriptor(entity: Entity, *, document_id: str | None = None) -> bytes:
    """Write an entity as an unsigned EntityDescriptor. `document_id` becomes the ID that a signature refers to.

    Roles that we do not use are not in an `Entity` and are therefore not written. Raises `ConfigurationError` when a
    text holds characters that XML cannot carry.
    """
    descriptor = md.EntityDescriptor(
        entity_id=entity.entity_id,
        id=document_id,
        valid_until=times.format_instant(entity.valid_until) if entity.valid_until is not None else None,
        cache_duration=times.format_duration(entity.cache_duration) if entity.cache_duration is not None else None,
        extensions=extensions(_entity_extensions(entity)),
        idpsso_descriptor=[idp_descriptor(entity.idp)] if entity.idp is not None else [],
        spsso_descriptor=[sp_descriptor(entity.sp)] if entity.sp is not None else [],
        organization=_organization(entity.organization) if entity.organization is not None else None,
        contact_person=[_contact(contact) for contact in entity.contacts],
    )
    return serialise(descriptor)


def serialise(element: SamlBase) -> bytes:
    """The octets of an element. Raises `ConfigurationError` when a text holds characters that XML cannot carry."""
    octets: bytes = element.to_string(PREFIXES)
    try:
        xml.parse(octets)
    except Malformed as malformed:
        raise ConfigurationError(f"the metadata cannot be written as XML: {malformed.reason}") from None
    return octets


def extensions(elements: list[SamlBase]) -> md.Extensions | None:
    """An Extensions element around some elements, or None around nothing: it may not be empty."""
    if not elements:
        return None
    return md.Extensions(extension_elements=[element_to_extension_element(element) for element in elements])


def _entity_extensions(entity: Entity) -> list[SamlBase]:
    found: list[SamlBase] = []
    if entity.registration_authority is not None:
        found.append(mdrpi.RegistrationInfo(registration_authority=entity.registration_authority))
    if entity.attributes:
        attributes = [_attribute(name, values) for name, values in entity.attributes]
        found.append(mdattr.EntityAttributes(attribute=attributes))
    return found


def _attribute(name: str, values: tuple[str, ...]) -> saml.Attribute:
    return saml.Attribute(name=name, name_format=NameFormat.URI, attribute_value=[attribute_value(v) for v in values])


def attribute_value(text: str) -> saml.AttributeValue:
    """A plain text value, without the xsi:type that the class adds by itself (SDP-IDP19)."""
    value = saml.AttributeValue(text=text)
    value.extension_attributes = {}
    return value


def _organization(organization: Organization) -> md.Organization:
    return md.Organization(
        organization_name=[md.OrganizationName(lang=lang, text=text) for lang, text in organization.names],
        organization_display_name=[
            md.OrganizationDisplayName(lang=lang, text=text) for lang, text in organization.display_names
        ],
        organization_url=[md.OrganizationURL(lang=lang, text=text) for lang, text in organization.urls],
    )


def _contact(contact: Contact) -> md.ContactPerson:
    return md.ContactPerson(
        contact_type=contact.type,
        company=md.Company(text=contact.company) if contact.company else None,
        given_name=md.GivenName(text=contact.given_name) if contact.given_name else None,
        sur_name=md.SurName(text=contact.sur_name) if contact.sur_name else None,
        email_address=[md.EmailAddress(text=f"mailto:{address}") for address in contact.emails],
        telephone_number=[md.TelephoneNumber(text=number) for number in contact.telephones],
        extension_attributes={f"{{{REMD}}}contactType": contact.remd_type} if contact.remd_type else None,
    )
