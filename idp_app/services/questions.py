"""What an AuthnRequest asks of us, kept on the server while its person signs in, and the guard against replay.

A request ID counts once for each connection. The same browser may bring the same request again, because a reload, the
back button or a second click is no attack and must still work: the answer carries the same InResponseTo, and the
service provider takes it at most once. Another browser with the same request, or the same ID on other content, is
refused.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.messages import AuthnRequest, NameID, Received, RequestedAuthnContext
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import Binding, NameIDFormat
from federation.storage.base import table_of
from idp_app.models import ReceivedRequest
from idp_app.services.upsert import insert_new

_TABLE: Final = table_of(ReceivedRequest)


class Question(NamedTuple):
    """The part of an accepted request that decides the answer. The endpoint was found in the partner's metadata.

    `request_id` is None where there was no request: a link asked for an unsolicited response.

    `class_refs` is None without RequestedAuthnContext; one that names only declarations, which nothing here meets,
    makes it empty.
    """

    request_id: str | None
    acs_url: str
    acs_binding: str = Binding.POST
    relay_state: str | None = None
    force_authn: bool = False
    is_passive: bool = False
    name_id_format: str | None = None
    sp_name_qualifier: str | None = None
    class_refs: tuple[str, ...] | None = None
    comparison: str = "exact"
    attribute_index: int | None = None
    subject: NameID | None = None

    @classmethod
    def of(cls, request: AuthnRequest, *, acs: Endpoint, relay_state: str | None) -> Question:
        """What a request asks."""
        policy, context = request.name_id_policy, request.requested_authn_context
        return cls(
            request_id=request.id,
            acs_url=acs.location,
            acs_binding=acs.binding,
            relay_state=relay_state,
            force_authn=request.force_authn,
            is_passive=request.is_passive,
            name_id_format=_format(request),
            sp_name_qualifier=policy.sp_name_qualifier if policy is not None else None,
            class_refs=context.class_refs if context is not None else None,
            comparison=context.comparison if context is not None else "exact",
            attribute_index=request.attribute_consuming_service_index,
            subject=request.subject,
        )

    @property
    def acs(self) -> Endpoint:
        """Where the answer goes, and how."""
        return Endpoint(self.acs_binding, self.acs_url)

    @property
    def authn_context(self) -> RequestedAuthnContext | None:
        """What the request demands of the sign-in."""
        return None if self.class_refs is None else RequestedAuthnContext(self.class_refs, self.comparison)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Question:
        """Read what `to_json` wrote."""
        class_refs, subject = data.get("class_refs"), data.get("subject")
        return cls(
            **{
                **data,
                "class_refs": None if class_refs is None else tuple(class_refs),
                "subject": None if subject is None else NameID(**subject),
            }
        )

    def to_json(self) -> dict[str, Any]:
        """What differs from the defaults, for the database."""
        written: dict[str, Any] = {"request_id": self.request_id, "acs_url": self.acs_url}
        for (name, default), value in zip(_DEFAULTS, self[2:], strict=True):
            if value != default:
                written[name] = value
        if self.subject is not None:
            written["subject"] = self.subject._asdict()
        return written


def _format(request: AuthnRequest) -> str | None:
    """The kind of identifier that is asked for: by the policy, or else by the Subject that is to be matched."""
    asked = request.name_id_policy.format if request.name_id_policy is not None else None
    if request.subject is None or asked not in (None, NameIDFormat.UNSPECIFIED):
        return asked
    return request.subject.format


_DEFAULTS: Final = tuple(Question._field_defaults.items())


class Waiting(NamedTuple):
    """A question that may be answered in this browser, now or after signing in.

    `key` names it in our own addresses. One that is answered at once needs none, and has an empty one until `hold`.
    """

    key: str
    connection_id: str
    question: Question
    received: datetime
    browser_hash: bytes | None

    @property
    def fresh_since(self) -> datetime | None:
        """With ForceAuthn: proof of presence counts from when the request came (SAML Core 3.4.1; SDP-IDP07)."""
        return self.received if self.question.force_authn else None


def digest_of(received: Received) -> bytes:
    """What tells two messages with the same ID apart."""
    return hashlib.sha256(received.xml).digest()


def remember(
    session: Session,
    question: Question,
    *,
    connection_id: str,
    digest: bytes,
    browser_hash: bytes | None,
    checks: tuple[Check, ...],
    now: datetime,
    window: timedelta,
) -> Waiting:
    """Take a request in, or find it again when the same browser brings it again. Raises `Refused` for a replay.

    What it asks is kept once the browser must come back for the answer (`hold`). Until then whoever brings it again
    brings that, too: the same message.

    `browser_hash` is None where the browser's cookie could not come along (a post from another site); the browser
    claims the request at the next step.
    """
    unasked = question.request_id is None
    key = secrets.token_urlsafe(24) if unasked or browser_hash is None else ""
    row: dict[str, Any] = {
        "connection_id": connection_id,
        "request_id": f"unsolicited {key}" if unasked else question.request_id,
        "digest": digest,
        "browser_hash": browser_hash,
        "received": now,
        "expires": now + window,
    }
    if key:
        row |= {"key": key, "waiting": question.to_json()}
    if insert_new(session, _TABLE, row):
        return Waiting(key, connection_id, question, now, browser_hash)
    known = session.get_one(ReceivedRequest, (connection_id, question.request_id))
    run((request_is_new,), checks, known, digest, browser_hash)
    if browser_hash is None:
        return hold(session, _waiting(known, question))
    return _claimed(session, known, browser_hash, now, question)


def hold(session: Session, waiting: Waiting) -> Waiting:
    """Keep a question under a key, because the browser will come back for the answer."""
    if waiting.key:
        return waiting
    key = func.coalesce(ReceivedRequest.key, secrets.token_urlsafe(24))  # or the one that a reload has just got
    this = update(ReceivedRequest).where(
        ReceivedRequest.connection_id == waiting.connection_id,
        ReceivedRequest.request_id == waiting.question.request_id,
    )
    written = this.values(key=key, waiting=waiting.question.to_json())
    kept = session.scalars(written.returning(ReceivedRequest.key)).one()
    assert kept is not None
    return waiting._replace(key=kept)


def claim(session: Session, key: str, *, browser_hash: bytes, now: datetime) -> Waiting:
    """The question that waits under a key for this browser. Raises `PolicyRefusal` when there is none (any more)."""
    row = session.scalars(select(ReceivedRequest).where(ReceivedRequest.key == key)).one_or_none()
    return _claimed(session, row, browser_hash, now)


def _claimed(
    session: Session,
    row: ReceivedRequest | None,
    browser_hash: bytes,
    now: datetime,
    asked: Question | None = None,
) -> Waiting:
    if row is None or row.expires <= now:
        raise PolicyRefusal("request.gone", "no request waits under this key")
    waiting = _waiting(row, asked)
    if row.browser_hash is None:
        unclaimed = update(ReceivedRequest).where(
            ReceivedRequest.connection_id == row.connection_id,
            ReceivedRequest.request_id == row.request_id,
            ReceivedRequest.browser_hash.is_(None),
        )
        claimed = session.execute(
            unclaimed.values(browser_hash=browser_hash).returning(ReceivedRequest.request_id)
        ).first()
        if claimed is not None:
            return waiting._replace(browser_hash=browser_hash)
        session.refresh(row)
    if row.browser_hash is None or not secrets.compare_digest(row.browser_hash, browser_hash):
        raise PolicyRefusal("request.browser", "the request was begun in another browser")
    return waiting


@rule("request.replay", "SAML Core 1.3.4; SAML Security 6.4.5")
def request_is_new(row: ReceivedRequest, digest: bytes, browser_hash: bytes | None) -> Seen:
    """An ID that was seen before is the same message in the same browser: a reload, not a replay."""
    same_message = secrets.compare_digest(row.digest, digest)
    known = row.browser_hash is not None and browser_hash is not None
    same_browser = not known or secrets.compare_digest(row.browser_hash or b"", browser_hash or b"")
    seen = "the same message again" if same_message else "another message with the same ID"
    where = "in the same browser" if same_browser else "in another browser"
    return same_message and same_browser, "a new ID, or the same message in the same browser", f"{seen}, {where}"


def _waiting(row: ReceivedRequest, asked: Question | None) -> Waiting:
    """The question that was kept, or else that of the message which has just come again."""
    question = asked if asked is not None and not row.waiting else Question.from_json(row.waiting)
    return Waiting(row.key or "", row.connection_id, question, row.received, row.browser_hash)
