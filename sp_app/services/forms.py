"""What somebody wrote into a form is not lost because their session was over (SDP-SP22, IIP-SP09).

keep    the fields of a form, sealed, under a handle; the key is made of the handle and of this browser's cookie
take    the same, once, for the same browser

What the database holds does not open by itself: the handle travels with the sign-in, the cookie is the browser's own.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from federation.storage.secrets import Sealed, SecretBox
from sp_app.models import KeptForm
from sp_app.services import binding
from sp_app.services.handles import may_be_handle, new_handle
from sp_app.services.sessions import digest

MAX_OCTETS: Final = 65_536
"""Longer forms, and files, are not kept: the person is told so, and nothing of them is stored."""
WINDOW: Final = timedelta(hours=1)
_CONTEXT: Final = "kept form"


@dataclass(frozen=True, slots=True)
class Form:
    """Where a form goes, a path of this site, and its fields in order."""

    action: str
    fields: tuple[tuple[str, str], ...]


def keep(session: Session, form: Form, *, browser: str, now: datetime) -> str | None:
    """Keep a form and answer its handle, or None where it is too long."""
    plain = json.dumps([form.action, form.fields])
    if len(plain.encode()) > MAX_OCTETS:
        return None
    handle = new_handle()
    session.add(
        KeptForm(
            handle_hash=digest(handle),
            binding_hash=digest(browser),
            sealed=_box(handle, browser).encrypt(plain, context=_CONTEXT).text,
            expires_at=now + WINDOW,
        )
    )
    return handle


def take(session: Session, handle: str | None, *, browser: str | None, now: datetime) -> Form | None:
    """The form, for the browser that sent it, in time, once."""
    if not may_be_handle(handle) or browser is None:
        return None
    kept = session.get(KeptForm, digest(handle))
    if kept is None or kept.expires_at <= now or not binding.began(browser, kept.binding_hash):
        return None
    gone = session.execute(
        delete(KeptForm)
        .where(KeptForm.handle_hash == kept.handle_hash)
        .execution_options(synchronize_session=False)
        .returning(KeptForm.handle_hash)
    )
    if gone.first() is None:
        return None
    action, fields = json.loads(_box(handle, browser).decrypt(Sealed(kept.sealed), context=_CONTEXT))
    return Form(action, _pairs(fields))


def _pairs(fields: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in fields)


def _box(handle: str, browser: str) -> SecretBox:
    return SecretBox(hmac.digest(browser.encode(), handle.encode(), hashlib.sha256))
