"""The declarative base of the identity provider's tables."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import DeclarativeBase

from federation.storage.base import TYPES, make_metadata

NAME_LENGTH = 256
"""Every text of a person or a partner may have this many characters (IIP-G02, SDP-G02)."""


class Base(DeclarativeBase):
    """What every table here shares: names for constraints, and the column type for each annotation."""

    metadata = make_metadata()
    type_annotation_map = TYPES


def new_uuid() -> str:
    """A random identifier for a row, as 36 characters."""
    return str(uuid.uuid4())
