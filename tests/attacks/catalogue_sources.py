"""What a source answers, each wrong in just the way that one named check of the registry looks for (see `catalogue`).

A message here is a deed: a function of one registry, in which a federation's source has taken in a document.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from federation.registry import aggregates, querying
from federation.saml.metadata import age
from tests.attacks.catalogue import Attack
from tests.metadata_factories import IDP_ID, NOW, entity_xml, group_xml, idp_role_xml, key_xml, signed, sso_xml
from tests.registry_factories import FEDERATION, Registry, query_path, serving

OTHER_ID = "https://other.example.org/idp"
Deed = Callable[[Registry], object]


def idp(entity_id: str = IDP_ID, *keys: str, attributes: str = "") -> str:
    """An identity provider with these signing keys."""
    inner = "".join(key_xml(name) for name in keys or ("idp",)) + sso_xml()
    return entity_xml(idp_role_xml(inner), entity_id=entity_id, attributes=attributes)


def document(*entities: str, days: float = 10, published: float | None = None, signer: str = FEDERATION) -> bytes:
    """A federation's signed document, valid for so many days and published so many days before NOW."""
    made = ""
    if published is not None:
        instant = f"{NOW - timedelta(days=published):%Y-%m-%dT%H:%M:%SZ}"
        made = f'<mdrpi:PublicationInfo publisher="urn:x" creationInstant="{instant}"/>'
    until = f'validUntil="{NOW + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"'
    return signed(group_xml(*entities, attributes=until, extensions=made), signer)


def followed(registry: Registry, first: bytes) -> str:
    """A source that has said this; answers its id."""
    source = registry.add("url", "https://federation.example.org/all.xml")
    registry.take_in(source, first)
    return source


def after(first: bytes, then: bytes) -> Deed:
    """A source says one thing, and then another."""
    return lambda registry: registry.take_in(followed(registry, first), then)


def answered(entity_id: str, content: bytes) -> Deed:
    """A responder is asked about an entity, and answers."""

    def ask(registry: Registry) -> object:
        with serving() as server:
            server.put(query_path(entity_id), content)
            source = registry.source(registry.add("mdq", f"{server.url}/mdq"))
            return registry.querier._answer(source, entity_id)

    return ask


def attack(rule: object, name: str, deed: Deed) -> Attack:
    """A deed that breaks a rule."""
    return Attack(rule, name, lambda: deed)  # type: ignore[arg-type]


ATTACKS = (
    attack(aggregates.group_is_not_empty, "nobody any more", after(document(idp()), document(days=11))),
    attack(
        age.nothing_comes_back,
        "last week's document with a key that was withdrawn since",
        after(document(idp(IDP_ID, "idp-next")), document(idp(IDP_ID, "idp", "idp-next"), days=5)),
    ),
    attack(
        age.nothing_comes_back,
        "last week's document with an entity that was taken out since, though it is valid for longer",
        after(document(idp(), published=1), document(idp(), idp(OTHER_ID), published=7, days=20)),
    ),
    attack(
        querying.answer_is_what_was_asked_for,
        "another entity than the one that was asked for",
        answered(IDP_ID, document(idp(OTHER_ID))),
    ),
    attack(
        querying.answer_is_what_was_asked_for,
        "another one behind the one that was asked for",
        answered(IDP_ID, document(idp(), idp(OTHER_ID))),
    ),
)


def judge(attack: Attack) -> object:
    """Let a registry decide."""
    deed: Deed = attack.message()
    with TemporaryDirectory() as folder:
        registry = Registry.make(Path(folder), NOW)
        try:
            return deed(registry)
        finally:
            registry.sessions.kw["bind"].dispose()
