"""The registry's tables: sources of metadata, their entities, and the versions of connections' metadata."""

from __future__ import annotations

from federation.registry.columns import (
    AbsenceColumns,
    EntityColumns,
    PartColumns,
    SourceColumns,
    Tables,
    VersionColumns,
)
from sp_app.models.base import Base


class MetadataSource(SourceColumns, Base):
    """A source of identity providers' metadata. It has no `defaults`."""

    __tablename__ = "sp_metadata_source"


class MetadataEntity(EntityColumns, Base):
    """An entity of a federation's source."""

    __tablename__ = "sp_metadata_entity"
    __sources__ = "sp_metadata_source"


class MetadataAbsence(AbsenceColumns, Base):
    """An entity that a Metadata Query responder does not know."""

    __tablename__ = "sp_metadata_absence"
    __sources__ = "sp_metadata_source"


class MetadataPart(PartColumns, Base):
    """A piece of a document that an administrator brought as a source."""

    __tablename__ = "sp_metadata_part"
    __sources__ = "sp_metadata_source"


class MetadataVersion(VersionColumns, Base):
    """A version of a connection's metadata."""

    __tablename__ = "sp_metadata_version"


TABLES = Tables(MetadataSource, MetadataEntity, MetadataAbsence, MetadataPart, MetadataVersion)
