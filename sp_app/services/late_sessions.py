"""A logout request may overtake the assertion whose session it means to end (SAML Core 3.7.3.2).

Every accepted request is remembered for as long as such an assertion could still be accepted, or the request itself is
good for, whichever is longer.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal
from federation.saml.messages import NameID
from federation.saml.profiles import logout
from federation.saml.profiles.logout import AcceptedLogoutRequest
from federation.saml.profiles.sso_response import AcceptedResponse
from federation.saml.times import later
from federation.storage.base import table_of
from sp_app.models import RememberedLogout, subject_key
from sp_app.models.once import take_turns

LONGEST: Final = timedelta(days=1)
"""A request that claims to be good for longer is remembered no longer than this."""

_TABLE: Final = table_of(RememberedLogout)
_REMEMBERED: Final = select(_TABLE).where(
    _TABLE.c.subject_key == bindparam("subject"), _TABLE.c.keep_until > bindparam("now")
)


class SignedOutMeanwhile(PolicyRefusal):
    """The identity provider has ended this session before it could begin."""

    def __init__(self) -> None:
        super().__init__("logout.came_first", "the identity provider has ended this session before it began")


def remember(session: Session, accepted: AcceptedLogoutRequest, *, now: datetime, skew: timedelta) -> None:
    """Keep the request for sessions that begin late. From here on nobody can begin one of this subject unnoticed."""
    request = accepted.request
    subject = subject_key(request.issuer, request.name_id.value)
    take_turns(session, subject)
    end = accepted.replay_until
    if request.not_on_or_after is not None:
        end = min(max(end, later(request.not_on_or_after, skew)), now + LONGEST)
    session.add(
        RememberedLogout(
            subject_key=subject,
            name_id_format=request.name_id.format,
            name_qualifier=request.name_id.name_qualifier,
            sp_name_qualifier=request.name_id.sp_name_qualifier,
            session_indexes=list(request.session_indexes),
            issued_at=request.issue_instant,
            keep_until=end,
        )
    )
    session.flush()


def refuse_ended(
    session: Session, accepted: AcceptedResponse, *, idp_entity_id: str, sp_entity_id: str, now: datetime
) -> None:
    """Raise `SignedOutMeanwhile` where a remembered request means the session that is about to begin."""
    if accepted.name_id is None:
        return
    subject = subject_key(idp_entity_id, accepted.name_id.value)
    take_turns(session, subject)
    held = logout.in_full(accepted.name_id, idp_entity_id=idp_entity_id, sp_entity_id=sp_entity_id)
    for remembered in session.execute(_REMEMBERED, {"subject": subject, "now": now}):
        asked = NameID(
            accepted.name_id.value,
            remembered.name_id_format,
            remembered.name_qualifier,
            remembered.sp_name_qualifier,
        )
        if logout.names(asked, held) and _means(remembered, accepted):
            raise SignedOutMeanwhile


def _means(remembered: Row[Any], accepted: AcceptedResponse) -> bool:
    """By SessionIndex; or, where the request named none, because the assertion was there when everything ended.

    Instants are often whole seconds. Within the same one it counts when the person had proved who they are: before, and
    the assertion belongs to what ended; or just then, and somebody has signed in anew.
    """
    if remembered.session_indexes:
        return accepted.session_index in remembered.session_indexes
    issued, ended = accepted.assertion.issue_instant, remembered.issued_at
    proved = accepted.authn.authn_instant
    return issued < ended or (issued == ended and proved < ended)
