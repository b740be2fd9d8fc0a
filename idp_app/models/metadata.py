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
from idp_app.models.base import Base


class MetadataSource(SourceColumns, Base):
    """A source of service providers' metadata.

    `defaults`: audiences (ids), release (`ReleasePolicy.to_json`) and options (`Options.to_json`).
    """

    __tablename__ = "metadata_source"


class MetadataEntity(EntityColumns, Base):
    """An entity of a federation's source."""

    __tablename__ = "metadata_entity"
    __sources__ = "metadata_source"


class MetadataAbsence(AbsenceColumns, Base):
    """An entity that a Metadata Query responder does not know."""

    __tablename__ = "metadata_absence"
    __sources__ = "metadata_source"


class MetadataPart(PartColumns, Base):
    """A piece of a document that an administrator brought as a source."""

    __tablename__ = "metadata_part"
    __sources__ = "metadata_source"


class MetadataVersion(VersionColumns, Base):
    """A version of a connection's metadata."""

    __tablename__ = "metadata_version"


TABLES = Tables(MetadataSource, MetadataEntity, MetadataAbsence, MetadataPart, MetadataVersion)
