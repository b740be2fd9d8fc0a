"""How a refusal is told to the partner: rule to SAML status pair (SAML Core 3.2.2.2), in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from federation.errors import Refused
from federation.saml.checks import Check
from federation.saml.messages import AuthnRequest, Status
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import StatusCode

STATUS_OF: Final[Mapping[str, tuple[str, str | None]]] = {
    "request.version": (StatusCode.VERSION_MISMATCH, None),
    "request.attribute_service": (StatusCode.REQUESTER, StatusCode.REQUEST_UNSUPPORTED),
    "request.name_id_policy": (StatusCode.REQUESTER, StatusCode.INVALID_NAME_ID_POLICY),
    "request.subject": (StatusCode.REQUESTER, StatusCode.REQUEST_UNSUPPORTED),
    "request.idp_list": (StatusCode.RESPONDER, StatusCode.NO_SUPPORTED_IDP),
}
"""Refusals that may be answered: the request is genuine and we know where its sender takes answers."""


UNKNOWN_SUBJECT: Final = Status(
    StatusCode.REQUESTER, StatusCode.UNKNOWN_PRINCIPAL, "The subject of the request is not known here."
)
"""For a request whose Subject cannot be read, or is not the person who is there (SAML Core 3.4.1.4)."""


class RequestRefused(Refused):
    """A request that was refused. With `status` and `answer_to` the partner can be told so; without, only the person.

    `answer_to` is an endpoint from the partner's metadata, `request` the request to answer.
    """

    def __init__(
        self,
        checks: Sequence[Check],
        *,
        status: Status | None = None,
        answer_to: Endpoint | None = None,
        request: AuthnRequest | None = None,
    ) -> None:
        super().__init__(checks)
        self.status = status
        self.answer_to = answer_to
        self.request = request


class StatusRefused(Refused):
    """The partner's answer is an error: `status` says which, in its words. It was not necessarily signed."""

    def __init__(self, checks: Sequence[Check], *, status: Status) -> None:
        super().__init__(checks)
        self.status = status


def status_of(rule: str) -> Status | None:
    """The status that tells a partner about a broken rule, or None where it must not or cannot be told."""
    pair = STATUS_OF.get(rule)
    return None if pair is None else Status(code=pair[0], second_level=pair[1])
