"""What changed between two versions of an entity, by meaning and not by text.

Each change is typed, has a sentence for an administrator, and says whether it widens trust (the partner could do or
learn more: it waits for the source's rule or a review), reduces it (it applies at once), or neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from federation.saml.metadata import fingerprints
from federation.saml.metadata.entity import Endpoint, Entity, IdPRole, Role, SPRole
from federation.saml.names import Binding
from federation.saml.times import format_instant


class Effect(StrEnum):
    """What a change does to trust."""

    WIDENS = "widens"
    REDUCES = "reduces"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `kind` is a dotted stable name such as `key.added`; `subject` is what it is about; `role` IdP or SP.

    `old` and `new` are short texts for a table, empty where there is none; they are hostile until escaped.
    """

    kind: str
    effect: Effect
    sentence: str
    subject: str
    role: str = ""
    old: str = ""
    new: str = ""


_BINDING_NAMES = {uri: name.replace("_", "-") for name, uri in vars(Binding).items() if name.isupper()}


def difference(old: Entity, new: Entity) -> tuple[Change, ...]:
    """Every change from one version to the next, grouped by what it is about. Equal meaning answers an empty tuple."""
    changes = list(_entity_changes(old, new))
    if old.idp is not None or new.idp is not None:
        changes += _idp_changes(old.idp, new.idp)
    if old.sp is not None or new.sp is not None:
        changes += _sp_changes(old.sp, new.sp)
    return tuple(changes)


def document_difference(old: Iterable[Entity], new: Iterable[Entity]) -> dict[str, tuple[Change, ...]]:
    """What changed from one document to the next, by entityID: those that differ in meaning, left or joined.

    Two documents of one entity each are compared even if the entityID is what changed.
    """
    before = {entity.entity_id: entity for entity in old}
    after = {entity.entity_id: entity for entity in new}
    if len(before) == len(after) == 1:
        before = dict(zip(after, before.values(), strict=True))
    changes: dict[str, tuple[Change, ...]] = {}
    for entity_id, entity in before.items():
        if entity_id not in after:
            gone = Change("entity.removed", Effect.REDUCES, "It is no longer there.", entity_id, old=entity_id)
            changes[entity_id] = (gone,)
        elif found := difference(entity, after[entity_id]):
            changes[entity_id] = found
    for entity_id in (each for each in after if each not in before):
        changes[entity_id] = (Change("entity.added", Effect.WIDENS, "It is new.", entity_id, new=entity_id),)
    return changes


def _entity_changes(old: Entity, new: Entity) -> Iterator[Change]:
    yield from _value("entity_id", "entityID", old.entity_id, new.entity_id, Effect.WIDENS)
    yield from _validity(old, new)
    yield from _value(
        "registration", "registration authority", old.registration_authority, new.registration_authority, Effect.WIDENS
    )
    yield from _members("category", "entity attribute", _attributes(old), _attributes(new))
    yield from _value("name", "name", old.display_name(), new.display_name(), Effect.NEUTRAL)
    yield from _members("contact", "contact", _contacts(old), _contacts(new), neutral=True)


def _validity(old: Entity, new: Entity) -> Iterator[Change]:
    before, after = old.valid_until, new.valid_until
    if before == after:
        return
    was, now = (format_instant(limit) if limit is not None else "" for limit in (before, after))
    if after is None:
        yield Change(
            "validity.removed", Effect.WIDENS, "It no longer says until when it is valid.", "validUntil", old=was
        )
    elif before is None or after < before:
        sentence = f"It is valid only until {now}."
        yield Change("validity.shortened", Effect.REDUCES, sentence, "validUntil", old=was, new=now)
    else:
        sentence = f"Its validity is renewed, from {was} to {now}."
        yield Change("validity.renewed", Effect.NEUTRAL, sentence, "validUntil", old=was, new=now)


def _idp_changes(old: IdPRole | None, new: IdPRole | None) -> Iterator[Change]:
    yield from _presence("IdP", old, new)
    before, after = old or IdPRole(), new or IdPRole()
    yield from _role_changes("IdP", before, after)
    yield from _endpoints("IdP", "sign-on endpoint", "sso", before.single_sign_on, after.single_sign_on)
    yield from _members("scope", "scope", _plain(before.scopes), _plain(after.scopes), role="IdP")
    if old is not None and new is not None:  # a role that comes or goes says it all
        yield from _flag(
            "IdP", "WantAuthnRequestsSigned", before.want_authn_requests_signed, after.want_authn_requests_signed
        )


def _sp_changes(old: SPRole | None, new: SPRole | None) -> Iterator[Change]:
    yield from _presence("SP", old, new)
    before, after = old or SPRole(), new or SPRole()
    yield from _role_changes("SP", before, after)
    yield from _endpoints(
        "SP", "assertion consumer endpoint", "acs", before.assertion_consumer, after.assertion_consumer
    )
    yield from _members("requested", "requested attribute", _requested(before), _requested(after), role="SP")
    if old is not None and new is not None:
        yield from _flag("SP", "AuthnRequestsSigned", before.authn_requests_signed, after.authn_requests_signed)
        yield from _flag("SP", "WantAssertionsSigned", before.want_assertions_signed, after.want_assertions_signed)


def _presence(name: str, old: Role | None, new: Role | None) -> Iterator[Change]:
    if old is None:
        yield Change("role.added", Effect.WIDENS, f"It is now an {name} too.", name, name, new=name)
    elif new is None:
        yield Change("role.removed", Effect.REDUCES, f"It is no longer an {name}.", name, name, old=name)


def _role_changes(name: str, old: Role, new: Role) -> Iterator[Change]:
    yield from _members("key", "key", _keys(old), _keys(new), role=name)
    yield from _endpoints(name, "logout endpoint", "logout", old.single_logout, new.single_logout)
    yield from _endpoints(name, "artifact endpoint", "artifact", old.artifact_resolution, new.artifact_resolution)
    yield from _members("extension", "endpoint", _extensions(old), _extensions(new), role=name)
    yield from _members("algorithm", "algorithm", _algorithms(old), _algorithms(new), role=name)
    yield from _members(
        "name_id_format", "NameID format", _plain(old.name_id_formats), _plain(new.name_id_formats), role=name,
        neutral=True,
    )  # fmt: skip
    yield from _value("error_url", "errorURL", old.error_url, new.error_url, Effect.NEUTRAL, role=name)
    yield from _members("presentation", "text", _presentation(old), _presentation(new), role=name, neutral=True)


def _members(
    kind: str,
    noun: str,
    old: Mapping[object, str],
    new: Mapping[object, str],
    *,
    role: str = "",
    neutral: bool = False,
) -> Iterator[Change]:
    """What left and what joined a set: leaving reduces trust, joining widens it, unless the set does not matter."""
    owner = f"The {role}" if role else "It"
    for member, text in old.items():
        if member not in new:
            effect = Effect.NEUTRAL if neutral else Effect.REDUCES
            sentence = f"{owner} no longer has the {noun} {text}."
            yield Change(f"{kind}.removed", effect, sentence, text, role, old=text)
    for member, text in new.items():
        if member not in old:
            effect = Effect.NEUTRAL if neutral else Effect.WIDENS
            yield Change(f"{kind}.added", effect, f"{owner} has the new {noun} {text}.", text, role, new=text)


def _value(
    kind: str, noun: str, old: str | None, new: str | None, effect: Effect, *, role: str = ""
) -> Iterator[Change]:
    if old != new:
        of = f" of the {role}" if role else ""
        sentence = f"The {noun}{of} changes from {old or 'nothing'} to {new or 'nothing'}."
        yield Change(f"{kind}.changed", effect, sentence, noun, role, old=old or "", new=new or "")


def _flag(role: str, name: str, old: bool, new: bool) -> Iterator[Change]:
    """A promise or wish that signatures be used: taking it back asks us to accept more."""
    if old != new:
        effect = Effect.REDUCES if new else Effect.WIDENS
        sentence = f"The {role} {'now says' if new else 'no longer says'} {name}."
        yield Change("signing.demanded" if new else "signing.dropped", effect, sentence, name, role, str(old), str(new))


def _endpoints(
    role: str, noun: str, kind: str, old: tuple[Endpoint, ...], new: tuple[Endpoint, ...]
) -> Iterator[Change]:
    yield from _members(f"endpoint.{kind}", noun, _locations(old), _locations(new), role=role)
    if set(_locations(old)) == set(_locations(new)) and _order(old) != _order(new):
        sentence = f"The {role} numbers its {noun}s differently, or prefers another one."
        yield Change(f"endpoint.{kind}.order", Effect.NEUTRAL, sentence, noun, role)


def _locations(endpoints: tuple[Endpoint, ...]) -> dict[object, str]:
    return {
        (endpoint.binding, endpoint.location, endpoint.response_location): _endpoint_text(endpoint)
        for endpoint in endpoints
    }


def _endpoint_text(endpoint: Endpoint) -> str:
    text = f"{endpoint.location} ({_BINDING_NAMES.get(endpoint.binding, endpoint.binding)})"
    return text if endpoint.response_location is None else f"{text}, responses to {endpoint.response_location}"


def _order(endpoints: tuple[Endpoint, ...]) -> list[tuple[object, ...]]:
    return [(endpoint.binding, endpoint.location, endpoint.index, endpoint.is_default) for endpoint in endpoints]


def _keys(role: Role) -> dict[object, str]:
    """Keys by use: one without a use counts once for each, so that naming a use shows what is lost."""
    texts: dict[object, str] = {}
    for key in role.keys:
        for use in (key.use,) if key.use is not None else ("signing", "encryption"):
            texts[use, key.public_key] = f"{fingerprints.of_key(key)} for {use}"
    return texts


def _algorithms(role: Role) -> dict[object, str]:
    texts: dict[object, str] = {("signature", uri): uri for uri in role.signing_algorithms}
    texts |= {("digest", uri): uri for uri in role.digest_algorithms}
    methods = (method.algorithm for key in role.encryption_keys for method in key.encryption_methods)
    texts |= {("encryption", uri): uri for uri in methods}
    return texts


def _extensions(role: Role) -> dict[object, str]:
    return {
        (name, endpoint.binding, endpoint.location): f"{name} {endpoint.location}"
        for name, endpoint in role.extension_endpoints
    }


def _requested(role: SPRole) -> dict[object, str]:
    """Requested attributes of all services; a value restriction is part of the request, isRequired is not."""
    texts: dict[object, str] = {}
    for service in role.attribute_consuming:
        for attribute in service.requested:
            text = f"{attribute.friendly_name} ({attribute.name})" if attribute.friendly_name else attribute.name
            values = f", only {', '.join(attribute.values)}" if attribute.values else ""
            texts[attribute.name, attribute.name_format, attribute.values] = text + values
    return texts


def _attributes(entity: Entity) -> dict[object, str]:
    return {(name, value): f"{value} ({name})" for name, values in entity.attributes for value in values}


def _contacts(entity: Entity) -> dict[object, str]:
    return {contact: f"{contact.type} {', '.join(contact.emails)}".strip() for contact in entity.contacts}


def _presentation(role: Role) -> dict[object, str]:
    info = role.ui_info
    pairs = (*info.descriptions, *info.keywords, *info.information_urls, *info.privacy_statement_urls)
    texts: dict[object, str] = {pair: pair[1] for pair in pairs}
    return texts | {logo: f"logo {logo.url[:80]}" for logo in info.logos}


def _plain(values: tuple[str, ...]) -> dict[object, str]:
    return {value: value for value in values}
