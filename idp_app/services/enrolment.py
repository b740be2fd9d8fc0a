"""Who may set a second factor up: whoever has the password, or only who was given a code by an administrator.

issue     an administrator, sure of who asks, makes a code; an older one of that person is void
knows     the person types it, with the password
use_up    the second factor is set up: the code is gone
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Final

from sqlalchemy import CursorResult, delete
from sqlalchemy.orm import Session

from idp_app.models import EnrolmentCode, Person
from idp_app.services import audit
from idp_app.services.act import Act
from idp_app.services.one_time_codes import hash_code, new_code

LIFETIME: Final = timedelta(days=7)
BY_ADMINISTRATOR: Final = "administrator"
BY_THEMSELVES: Final = "self"


def issue(session: Session, person: Person, secret: bytes, act: Act) -> str:
    """A new code for a person, which exists in clear here and nowhere else."""
    code = new_code()
    session.merge(
        EnrolmentCode(person_id=person.id, code_hash=_hash(secret, person.id, code), expires=act.now + LIFETIME)
    )
    audit.record(session, "second_factor.enrolment_code", act, person_id=person.id)
    return code


def knows(session: Session, person_id: str, code: str, secret: bytes, act: Act) -> bool:
    """Whether this is the person's code, and still good. It stays good until the second factor is set up."""
    held = session.get(EnrolmentCode, person_id)
    ok = (
        held is not None
        and held.expires > act.now
        and hmac.compare_digest(held.code_hash, _hash(secret, person_id, code))
    )
    if not ok:
        audit.record(session, "second_factor.enrolment_wrong", act, person_id=person_id)
    return ok


def use_up(session: Session, person_id: str, act: Act) -> bool:
    """Whether the person still had a good code; it is gone now."""
    mine = delete(EnrolmentCode).where(EnrolmentCode.person_id == person_id, EnrolmentCode.expires > act.now)
    result = session.execute(mine)
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def _hash(secret: bytes, person_id: str, code: str) -> bytes:
    return hash_code(secret, f"enrolment\n{person_id}", code)
