"""The declarative base of the service provider's tables."""

from sqlalchemy.orm import DeclarativeBase

from federation.storage.base import TYPES, make_metadata


class Base(DeclarativeBase):
    """Every table of `sp_app`. Texts have no length in the database: what comes from outside is bounded at the edge."""

    metadata = make_metadata()
    type_annotation_map = TYPES
