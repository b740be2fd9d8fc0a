"""What people have besides a password: an app that shows codes, and recovery codes for the day it is gone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from federation.storage.secrets import Sealed
from idp_app.models.base import Base


class SecondFactor(Base):
    """A person's secret for time-based codes (RFC 6238), sealed with the site's secret box.

    `last_step` is the time step of the last code that was accepted: none of that step or before is accepted again.
    """

    __tablename__ = "second_factor"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[Sealed]
    since: Mapped[datetime]
    last_step: Mapped[int]


class RecoveryCode(Base):
    """One recovery code that was not used yet, as a keyed hash. Using it deletes the row."""

    __tablename__ = "recovery_code"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(primary_key=True)


class EnrolmentCode(Base):
    """A code with which a person may set a second factor up, as a keyed hash. Setting it up deletes the row."""

    __tablename__ = "enrolment_code"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[bytes]
    expires: Mapped[datetime]
