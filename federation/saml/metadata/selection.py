"""Which entities of a source are taken: by role, registrar, category or entityID."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from federation.saml.metadata.entity import Entity

ENTITY_CATEGORY: Final = "http://macedir.org/entity-category"
ASSURANCE_CERTIFICATION: Final = "urn:oasis:names:tc:SAML:attribute:assurance-certification"


@dataclass(frozen=True, slots=True)
class Selection:
    """An entity is taken if it passes every part that is not empty; within a part one match is enough.

    `roles` are idp and sp, `registrars` registration authorities (MDRPI 2.1), `categories` values of the entity
    category or assurance certification attribute (RFC 8409 2, IAP 3.1), all compared exactly.
    """

    roles: frozenset[str] = frozenset()
    registrars: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    entity_ids: frozenset[str] = frozenset()

    def takes(self, entity: Entity) -> bool:
        """Whether an entity is taken."""
        roles = {name for name, role in (("idp", entity.idp), ("sp", entity.sp)) if role is not None}
        categories = {*entity.attribute(ENTITY_CATEGORY), *entity.attribute(ASSURANCE_CERTIFICATION)}
        return (
            (not self.roles or bool(self.roles & roles))
            and (not self.registrars or entity.registration_authority in self.registrars)
            and (not self.categories or bool(self.categories & categories))
            and (not self.entity_ids or entity.entity_id in self.entity_ids)
        )
