"""How a site of ours presents itself in its metadata: the settings that both apps have, and what is made of them.

Without any of them the metadata is complete by SDP-IDP33 and SDP-SP39 all the same, but for the addresses of people.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationInfo, field_validator, model_validator

from federation.saml.metadata.entity import Contact, Logo, Organization
from federation.saml.metadata.lint import SECURITY_CONTACT
from federation.saml.metadata.locations import is_entity_id, is_link, is_logo
from federation.saml.metadata.publishing import Presentation
from federation.saml.names import ASSURANCE_CERTIFICATION, ENTITY_CATEGORY
from federation.web.settings import Settings, Words

PERSONAL_DATA: Final = "personal-data"
"""Where on the page about this site it says what is known of people: the privacy statement of who names no other."""
_MARK: Final = Path(__file__).parent / "static" / "mark.svg"
_MARK_SIZE: Final = 64
_LANGUAGE: Final = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"


class PublishedSettings(Settings):
    """What an administrator may say about the site to partners, and to people who choose among sites."""

    site_name: str
    support_email: str = Field(
        default="",
        description="Where people write for help: shown on pages that refuse, and published as support contact.",
    )
    technical_email: str = Field(
        default="",
        description="Where administrators of partners write: published as technical contact. Empty means the address "
        "for help.",
    )
    security_email: str = Field(
        default="",
        description="Where partners report an incident: published as security contact (REFEDS). Say here who answers "
        "quickly; empty publishes none.",
    )
    language: str = Field(
        default="en", pattern=_LANGUAGE, description="The language of the site's name and texts in the metadata."
    )
    description: str = Field(
        default="", max_length=500, description="What the site is for, in a sentence: shown where people choose."
    )
    logo: Words = Field(
        default=(),
        description="The site's logo: an https address or an inline image (data:image/png;base64,..., by `file:PATH` "
        "from a file); after it, where they are not 64 and 64, its width and height. Empty means our own mark.",
    )
    information_url: str = Field(default="", description="A page for people about the site; empty publishes none.")
    privacy_statement_url: str = Field(
        default="",
        description="The site's privacy statement. Empty means this site's own page /saml/about, which says only what "
        "is asked for and told.",
    )
    organization_name: str = Field(
        default="", max_length=200, description="The organisation behind the site; empty publishes none."
    )
    organization_url: str = Field(default="", description="The organisation's web site; needed with its name.")
    entity_categories: Words = Field(
        default=(),
        description="Entity categories (URIs) that the site is in. Name one only where a registrar has granted it.",
    )
    assurance_certifications: Words = Field(
        default=(),
        description="Assurance certifications (URIs) that the site meets, such as https://refeds.org/sirtfi, which "
        "asks for a security contact.",
    )

    @field_validator("support_email", "technical_email", "security_email")
    @classmethod
    def _mail_or_nothing(cls, value: str) -> str:
        local, _, domain = value.partition("@")
        if value and (not local or not domain or any(character.isspace() for character in value)):
            raise ValueError("write an e-mail address, or nothing")
        return value

    @field_validator("information_url", "privacy_statement_url", "organization_url")
    @classmethod
    def _page_or_nothing(cls, value: str) -> str:
        if value and not is_link(value):
            raise ValueError("write the https address of a page, or nothing")
        return value

    @field_validator("logo")
    @classmethod
    def _logo_or_nothing(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        sizes = value[1:]
        if value and not (
            is_logo(value[0])
            and len(sizes) in (0, 2)
            and all(size.isascii() and size.isdecimal() and 0 < int(size[:5]) < 10_000 for size in sizes)
        ):
            raise ValueError("write an https address or an inline image, then its width and height, or nothing")
        return value

    @field_validator("entity_categories", "assurance_certifications")
    @classmethod
    def _uris(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        wrong = [uri for uri in value if not is_entity_id(uri)]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: write absolute URIs")
        return value

    @model_validator(mode="after")
    def _whole(self) -> PublishedSettings:
        if bool(self.organization_name) != bool(self.organization_url):
            raise ValueError("organization_name and organization_url belong together")
        if any("sirtfi" in uri for uri in self.assurance_certifications) and not self.security_email:
            raise ValueError("assurance_certifications names Sirtfi, which needs a security_email")
        return self

    @property
    def published_logo(self) -> Logo:
        """The logo of the settings, or the mark of our pages, inline."""
        if not self.logo:
            mark = base64.b64encode(_MARK.read_bytes()).decode()
            return Logo(f"data:image/svg+xml;base64,{mark}", _MARK_SIZE, _MARK_SIZE)
        url, *sizes = self.logo
        width, height = map(int, sizes or (_MARK_SIZE, _MARK_SIZE))
        return Logo(url, height=height, width=width)

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """Whom to write to (SDP-MD11; REFEDS security contact)."""
        company = self.organization_name or self.site_name
        technical = self.technical_email or self.support_email
        found = []
        if technical:
            found.append(Contact("technical", "Technical contact", company=company, emails=(technical,)))
        if self.support_email:
            found.append(Contact("support", "Support", company=company, emails=(self.support_email,)))
        if self.security_email:
            found.append(
                Contact(
                    "other",
                    "Security contact",
                    company=company,
                    emails=(self.security_email,),
                    remd_type=SECURITY_CONTACT,
                )
            )
        return tuple(found)

    def presentation(self, about_url: str) -> Presentation:
        """How the site presents itself (SDP-MD09 to 12). `about_url` is its own page about itself."""
        return Presentation(
            display_name=self.site_name,
            description=self.description or None,
            information_url=self.information_url or None,
            privacy_statement_url=self.privacy_statement_url or f"{about_url}#{PERSONAL_DATA}",
            logos=(self.published_logo,),
            organization=self._organization,
            contacts=self.contacts,
            language=self.language,
        )

    @property
    def entity_attributes(self) -> Mapping[str, tuple[str, ...]]:
        """Categories and certifications, as the metadata says them."""
        said = {ENTITY_CATEGORY: self.entity_categories, ASSURANCE_CERTIFICATION: self.assurance_certifications}
        return {name: values for name, values in said.items() if values}

    @property
    def _organization(self) -> Organization | None:
        if not self.organization_name:
            return None
        name = ((self.language, self.organization_name),)
        return Organization(names=name, display_names=name, urls=((self.language, self.organization_url),))
