"""What a partner is sent: an assertion or an error, built, signed, encrypted where it has a key, and sent."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from federation.audiences.eligibility import Decision
from federation.saml.bindings import artifact, post
from federation.saml.bindings.post import PostForm
from federation.saml.checks import Check
from federation.saml.identifiers import new_id
from federation.saml.messages import NameID, Status
from federation.saml.names import Binding, StatusCode
from federation.saml.profiles import logout, sso_response
from federation.saml.profiles.refusals import UNKNOWN_SUBJECT
from federation.storage.base import table_of
from idp_app.installation import Installation
from idp_app.models import Participation
from idp_app.services import artifacts, audit, name_ids, release
from idp_app.services.act import Act
from idp_app.services.live import LiveConnection
from idp_app.services.questions import Question
from idp_app.services.sessions import SignedIn
from idp_app.services.upsert import insert_new

_TABLE: Final = table_of(Participation)

MISSING: Final = "sso.missing"
"""The kind of the audit entry for an assertion without something that the site requires."""
INVALID_NAME_ID_POLICY = Status(
    StatusCode.RESPONDER, StatusCode.INVALID_NAME_ID_POLICY, "No identifier of the requested kind is released."
)


def assertion(
    session: Session,
    installation: Installation,
    partner: LiveConnection,
    question: Question,
    signed_in: SignedIn,
    groups: tuple[str, ...],
    class_ref: str,
    act: Act,
    *,
    checks: tuple[Check, ...] = (),
) -> PostForm:
    """The response with an assertion about the person, or an error (SAML Profiles 4.1.4.2).

    The error says that no NameID fits, or that the request is about another subject (SAML Core 3.4.1.4).
    """
    settings = installation.settings
    told = partner.release(question.attribute_index)
    person = release.Subject(
        signed_in, signed_in.person_id, groups, partner.entity_id, installation.identifier_secret, settings.scope
    )
    attributes = told.attributes(release.values_of(person, told.keys))
    options = partner.options
    name_id = name_ids.name_id(
        question,
        partner,
        attributes,
        session_id=signed_in.session_id,
        person_id=signed_in.person_id,
        own_entity_id=settings.own_entity_id,
        session_secret=installation.session_name_secret,
        identifier_secret=installation.identifier_secret,
    )
    if question.subject is not None and not _names(question.subject, name_id, partner, settings.own_entity_id):
        return error(session, installation, partner, question, UNKNOWN_SUBJECT, act, checks=checks)
    if name_id is None and not name_ids.left_out(question, partner):
        return error(session, installation, partner, question, INVALID_NAME_ID_POLICY, act, checks=checks)
    index = name_ids.session_index(installation.session_name_secret, signed_in.session_id, partner.id)
    response_id = new_id()
    response = sso_response.build(
        response_id=response_id,
        assertion_id=new_id(),
        issuer=settings.own_entity_id,
        acs=question.acs,
        in_response_to=question.request_id,
        audience=partner.entity_id,
        name_id=name_id,
        attributes=options.told(attributes),
        authn_instant=signed_in.authn_instant,
        session_index=index,
        authn_context_class_ref=class_ref,
        now=act.now,
        lifetime=settings.assertion_lifetime,
        session_not_on_or_after=signed_in.expires,
        signing_key=partner.signing_key(installation.keys, signed_in.username),
        sign_response=options.sign != "assertion",
        sign_assertion=partner.sp.want_assertions_signed or options.sign in ("assertion", "both"),
        encrypt_to=partner.encryption_key,
        encrypt=options.encrypted_parts,
        algorithms=partner.algorithms,
    )
    _remember(session, partner, signed_in, name_id, index, act)
    audit.record(
        session,
        "sso.issued",
        act,
        person_id=signed_in.person_id,
        entity_id=partner.entity_id,
        request_id=question.request_id,
        response_id=response_id,
        checks=checks,
        detail={
            "name_id_format": None if name_id is None else name_id.format,
            "attributes": [attribute.friendly_name or attribute.name for attribute in attributes],
            "encrypted": partner.encryption_key is not None,
            "authn_context": class_ref,
        },
        sent=[response.outline],
    )
    missing = told.missing(attributes)
    if missing:
        audit.record(
            session,
            MISSING,
            act._replace(received=()),  # the entry above keeps the message
            person_id=signed_in.person_id,
            entity_id=partner.entity_id,
            response_id=response_id,
            detail={"attributes": missing},
        )
    return _deliver(session, installation, partner, question, response.octets, act)


def _names(subject: NameID, given: NameID | None, partner: LiveConnection, own_entity_id: str) -> bool:
    """Does the Subject of a request name whom we are about to name (SAML Core 3.3.4)?"""
    if given is None:
        return False
    held = logout.in_full(given, idp_entity_id=own_entity_id, sp_entity_id=partner.entity_id)
    return logout.names(subject, held)


def error(
    session: Session,
    installation: Installation,
    partner: LiveConnection,
    question: Question,
    status: Status,
    act: Act,
    *,
    checks: tuple[Check, ...] = (),
) -> PostForm:
    """The response that tells a partner why there is no assertion (SAML Core 3.2.2.2; IIP-IDP05)."""
    response_id = new_id()
    response = sso_response.build_error(
        response_id=response_id,
        issuer=installation.settings.own_entity_id,
        acs=question.acs,
        in_response_to=question.request_id,
        status=status,
        now=act.now,
        signing_key=partner.signing_key(installation.keys),
    )
    audit.record(
        session,
        "sso.error",
        act,
        entity_id=partner.entity_id,
        request_id=question.request_id,
        response_id=response_id,
        checks=checks,
        detail={"status": [status.code, status.second_level], "message": status.message},
        sent=[response.outline],
    )
    return _deliver(session, installation, partner, question, response.octets, act)


def record_denial(
    session: Session,
    partner: LiveConnection,
    question: Question,
    signed_in: SignedIn,
    decision: Decision,
    act: Act,
    *,
    checks: tuple[Check, ...] = (),
) -> None:
    """Note that a person was shown the page that says no."""
    audit.record(
        session,
        "sso.denied",
        act,
        person_id=signed_in.person_id,
        entity_id=partner.entity_id,
        request_id=question.request_id,
        checks=checks,
        detail={"rule": decision.rule, "reason": decision.reason},
    )


def _deliver(
    session: Session, installation: Installation, partner: LiveConnection, question: Question, xml: bytes, act: Act
) -> PostForm:
    """By HTTP-POST the message itself; by HTTP-Artifact a reference, while the message waits here to be fetched.

    The reference travels by a form too (SAML Bindings 3.6.3): on the way here the person may have submitted the sign-in
    form, and Chromium holds every redirect that follows against that page's `form-action`.
    """
    destination, relay_state = question.acs_url, question.relay_state
    if question.acs_binding == Binding.ARTIFACT:
        reference = artifacts.hold(session, installation, partner, xml, act.now)
        return artifact.encode_form(reference, destination=destination, relay_state=relay_state)
    return post.encode(xml, parameter="SAMLResponse", destination=destination, relay_state=relay_state)


def _remember(
    session: Session, partner: LiveConnection, signed_in: SignedIn, name_id: NameID | None, index: str, act: Act
) -> None:
    """Note that the session reached this partner, once for each NameID: a logout will need it."""
    row = {
        "session_id": signed_in.session_id,
        "connection_id": partner.id,
        "name_id_format": "" if name_id is None else name_id.format or "",
        "name_id": "" if name_id is None else name_id.value,
        "name_qualifier": None if name_id is None else name_id.name_qualifier,
        "sp_name_qualifier": None if name_id is None else name_id.sp_name_qualifier,
        "sp_provided_id": None if name_id is None else name_id.sp_provided_id,
        "session_index": index,
        "first_issued": act.now,
    }
    insert_new(session, _TABLE, row)
