"""A second factor: an app that shows codes (TOTP, RFC 6238), and recovery codes.

    begin     a new secret, for whoever has just typed the password; nothing is stored yet
    confirm   a code of that secret proves that the app has it: now it is the person's, with recovery codes
    prove     a code, in a session with a password
    remove    by the person after a code, or by an administrator

A code counts once: the time step of the last one is kept, and moves forward only.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import pyotp
from sqlalchemy import CursorResult, delete, func, insert, select, update
from sqlalchemy.orm import Session

from federation.errors import ConfigurationError, PolicyRefusal
from federation.storage.base import table_of
from federation.storage.secrets import Sealed, SecretBox
from idp_app.models import RecoveryCode, SecondFactor
from idp_app.services import audit, enrolment, sessions, throttle
from idp_app.services.act import Act
from idp_app.services.one_time_codes import hash_code, new_code
from idp_app.services.upsert import insert_new

STEP: Final = 30
"""Seconds for which a code is shown; the one before and the one after are accepted too, for clocks that differ."""
RECOVERY_CODES: Final = 10
PENDING: Final = timedelta(minutes=15)
"""How long a person may take between seeing the QR code and typing the first code."""
TOTP: Final = "totp"
RECOVERY: Final = "recovery code"


@dataclass(frozen=True, slots=True)
class Secrets:
    """This site's own secrets: what seals, what hides recovery codes, what hides names in the throttle table."""

    box: SecretBox
    recovery: bytes
    throttle: bytes


@dataclass(frozen=True, slots=True)
class Pending:
    """A secret that is not anybody's yet. `sealed` goes through the form and opens in the same session only."""

    secret: str
    sealed: str

    @property
    def spaced(self) -> str:
        """The secret as people type it off a screen."""
        return " ".join(self.secret[start : start + 4] for start in range(0, len(self.secret), 4))

    def uri(self, *, site_name: str, username: str) -> str:
        """What the QR code says."""
        return pyotp.TOTP(self.secret).provisioning_uri(name=username, issuer_name=site_name)


@dataclass(frozen=True, slots=True)
class Proof:
    """How an attempt ended. `method` is set when the code was right, `wait` when it was not even looked at."""

    method: str | None = None
    wait: timedelta = timedelta()


def of(session: Session, person_id: str) -> SecondFactor | None:
    """The person's second factor, or None."""
    return session.get(SecondFactor, person_id)


def recovery_codes_left(session: Session, person_id: str) -> int:
    """How many recovery codes were not used yet."""
    left = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.person_id == person_id)
    return session.scalar(left) or 0


def begin(session_id: str, *, now: datetime, box: SecretBox) -> Pending:
    """A new secret for the session in which somebody has just typed the password."""
    secret = pyotp.random_base32()
    sealed = box.encrypt(f"{int((now + PENDING).timestamp())} {secret}", context=_pending_context(session_id))
    return Pending(secret, sealed.text)


def pending(sealed: str, session_id: str, *, now: datetime, box: SecretBox) -> Pending:
    """The secret that a form brings back. Raises `PolicyRefusal` when it is too late, or another session's."""
    try:
        until, secret = box.decrypt(Sealed(sealed), context=_pending_context(session_id)).split()
    except ConfigurationError:
        raise PolicyRefusal("second_factor.pending", "the form belongs to another session") from None
    if int(until) <= now.timestamp():
        raise PolicyRefusal("second_factor.pending", "the form was open for too long")
    return Pending(secret, sealed)


def confirm(
    session: Session, person_id: str, pending: Pending, code: str, own: Secrets, act: Act, *, enrolled_by: str
) -> list[str] | None:
    """Make a secret the person's, when the code shows that the app has it; answers the recovery codes, once.

    None when the code is wrong. Raises `PolicyRefusal` when the person has a second factor already, or may not set one
    up (`enrolment`).
    """
    step = _step_of(pending.secret, code, act.now)
    if step is None:
        return None
    if enrolled_by == enrolment.BY_ADMINISTRATOR and not enrolment.use_up(session, person_id, act):
        raise PolicyRefusal("second_factor.enrolment", "the person has no enrolment code")
    sealed = own.box.encrypt(pending.secret, context=_context(person_id))
    row = {"person_id": person_id, "secret": sealed, "since": act.now, "last_step": step}
    if not insert_new(session, table_of(SecondFactor), row):
        raise PolicyRefusal("second_factor.once", "there is a second factor already")
    audit.record(session, "second_factor.set_up", act, person_id=person_id, detail={"enrolled_by": enrolled_by})
    return renew_recovery_codes(session, person_id, own, act)


def renew_recovery_codes(session: Session, person_id: str, own: Secrets, act: Act) -> list[str]:
    """New recovery codes in the place of all older ones; they exist in clear here and nowhere else."""
    codes = [new_code() for _ in range(RECOVERY_CODES)]
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    rows = [{"person_id": person_id, "code_hash": hash_code(own.recovery, person_id, code)} for code in codes]
    session.execute(insert(RecoveryCode), rows)
    audit.record(session, "second_factor.recovery_codes", act, person_id=person_id)
    return codes


def prove(session: Session, person_id: str, code: str, own: Secrets, act: Act, *, address: str) -> Proof:
    """Try a code of the app or a recovery code. Failures delay the next attempt, as with passwords."""
    counters = throttle.counters(
        secret=own.throttle, username_key=f"second factor\n{person_id}", address=address, known_browser=None
    )
    wait = throttle.remaining(session, counters, act.now)
    if wait > timedelta():
        audit.record(session, "second_factor.wait", act, person_id=person_id)
        return Proof(wait=wait)
    method = _method_of(session, person_id, code, own, act.now)
    if method is None:
        throttle.failed(session, counters, act.now)
        audit.record(session, "second_factor.wrong", act, person_id=person_id)
        return Proof()
    throttle.succeeded(session, counters)
    audit.record(session, "second_factor.accepted", act, person_id=person_id, detail={"method": method})
    return Proof(method)


def remove(session: Session, person_id: str, act: Act) -> bool:
    """Take the second factor away; no session counts as one with a second factor any more. False when there was none.

    Who asks for it is the caller's affair: the person after a code, or an administrator.
    """
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    removed = session.execute(delete(SecondFactor).where(SecondFactor.person_id == person_id))
    assert isinstance(removed, CursorResult)
    if not removed.rowcount:
        return False
    sessions.forget_second_factor(session, person_id)
    audit.record(session, "second_factor.removed", act, person_id=person_id)
    return True


def _method_of(session: Session, person_id: str, code: str, own: Secrets, now: datetime) -> str | None:
    factor = of(session, person_id)
    if factor is None:
        return None
    step = _step_of(own.box.decrypt(factor.secret, context=_context(person_id)), code, now)
    if step is not None:
        # The row moves forward once for each step: of two browsers with the same code one comes through.
        unused = update(SecondFactor).where(SecondFactor.person_id == person_id, SecondFactor.last_step < step)
        return TOTP if _rows(session, unused.values(last_step=step)) else None
    code_hash = hash_code(own.recovery, person_id, code)
    used = delete(RecoveryCode).where(RecoveryCode.person_id == person_id, RecoveryCode.code_hash == code_hash)
    return RECOVERY if _rows(session, used) else None


def _rows(session: Session, statement: object) -> int:
    result = session.execute(statement)  # type: ignore[call-overload]
    assert isinstance(result, CursorResult)
    return result.rowcount


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step of which the code is, among the present one and its neighbours."""
    digits = code.replace(" ", "").encode(errors="replace")
    totp, present = pyotp.TOTP(secret, interval=STEP), int(now.timestamp()) // STEP
    steps = [
        step
        for step in (present, present - 1, present + 1)
        if hmac.compare_digest(totp.generate_otp(step).encode(), digits)
    ]
    return steps[0] if steps else None


def _context(person_id: str) -> str:
    return f"second_factor:{person_id}:secret"


def _pending_context(session_id: str) -> str:
    return f"second_factor:pending:{session_id}"
