"""What two versions of an entity have in common: what stays usable while the newer one waits for a review.

A partner that takes back a key, an endpoint or an attribute is believed at once; what it adds is not. So while its new
metadata waits, only that counts which both versions say. The newer one also says how long that holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import replace
from typing import TypeVar

from federation.saml.metadata.entity import (
    AttributeConsumingService,
    Endpoint,
    Entity,
    IdPRole,
    KeyDescriptor,
    RequestedAttribute,
    Role,
    SPRole,
)

T = TypeVar("T")
R = TypeVar("R", IdPRole, SPRole)
_USES = ("signing", "encryption")


def restrict(old: Entity, new: Entity) -> Entity:
    """The old entity without whatever the new one no longer says, valid as long as the new one is.

    Texts for people, contacts and whatever else is neither trust nor its loss stay those of the old one. A promise to
    sign, or a wish that others do, counts from either.
    """
    return replace(
        old,
        idp=_idp(old.idp, new.idp),
        sp=_sp(old.sp, new.sp),
        valid_until=new.valid_until if new.valid_until is not None else old.valid_until,
        cache_duration=new.cache_duration,
        attributes=tuple(
            (name, kept)
            for name, values in old.attributes
            if (kept := tuple(value for value in values if value in new.attribute(name)))
        ),
    )


def _idp(old: IdPRole | None, new: IdPRole | None) -> IdPRole | None:
    if old is None or new is None:
        return None
    return replace(
        _role(old, new),
        single_sign_on=_endpoints(old.single_sign_on, new.single_sign_on),
        want_authn_requests_signed=old.want_authn_requests_signed or new.want_authn_requests_signed,
        scopes=tuple(scope for scope in old.scopes if scope in new.scopes),
    )


def _sp(old: SPRole | None, new: SPRole | None) -> SPRole | None:
    if old is None or new is None:
        return None
    requested = {_request(each) for service in new.attribute_consuming for each in service.requested}
    return replace(
        _role(old, new),
        assertion_consumer=_endpoints(old.assertion_consumer, new.assertion_consumer),
        authn_requests_signed=old.authn_requests_signed or new.authn_requests_signed,
        want_assertions_signed=old.want_assertions_signed or new.want_assertions_signed,
        attribute_consuming=tuple(_service(each, requested) for each in old.attribute_consuming),
    )


def _role(old: R, new: R) -> R:
    methods = frozenset(method.algorithm for key in new.encryption_keys for method in key.encryption_methods)
    return replace(
        old,
        keys=tuple(kept for key in old.keys if (kept := _key(key, new, methods)) is not None),
        valid_until=new.valid_until if new.valid_until is not None else old.valid_until,
        single_logout=_endpoints(old.single_logout, new.single_logout),
        artifact_resolution=_endpoints(old.artifact_resolution, new.artifact_resolution),
        signing_methods=_algorithms(old.signing_methods, new.signing_algorithms, lambda each: each.algorithm),
        digest_algorithms=_algorithms(old.digest_algorithms, new.digest_algorithms, str),
        extension_endpoints=_common(
            old.extension_endpoints, new.extension_endpoints, lambda each: (each[0], *_location(each[1])[:2])
        ),
    )


def _key(key: KeyDescriptor, new: Role, methods: frozenset[str]) -> KeyDescriptor | None:
    """The key for the uses that are left to it, or None. Without a use it has both (SAML Metadata 2.4.1.1)."""
    left = [
        use
        for use in _USES
        if key.use in (None, use)
        and any(each.public_key == key.public_key and each.use in (None, use) for each in new.keys)
    ]
    if not left:
        return None
    return replace(
        key,
        use=key.use if len(left) == len(_USES) else left[0],
        encryption_methods=_algorithms(key.encryption_methods, methods, lambda each: each.algorithm),
    )


def _algorithms(old: tuple[T, ...], new: Collection[str], uri_of: Callable[[T], str]) -> tuple[T, ...]:
    """What both list.

    A list says what somebody can do, and an empty one would say anything: without a match the old one stays, for nobody
    gains by an algorithm that the partner does not understand.
    """
    return tuple(each for each in old if uri_of(each) in new) or old


def _endpoints(old: tuple[Endpoint, ...], new: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    return _common(old, new, _location)


def _location(endpoint: Endpoint) -> tuple[str, str, str | None]:
    return endpoint.binding, endpoint.location, endpoint.response_location


def _service(service: AttributeConsumingService, requested: set[Hashable]) -> AttributeConsumingService:
    return replace(service, requested=tuple(each for each in service.requested if _request(each) in requested))


def _request(attribute: RequestedAttribute) -> Hashable:
    return attribute.name, attribute.name_format, attribute.values


def _common(old: Iterable[T], new: Iterable[T], meaning: Callable[[T], Hashable]) -> tuple[T, ...]:
    """The old members whose meaning the new ones have too."""
    meanings = {meaning(each) for each in new}
    return tuple(each for each in old if meaning(each) in meanings)
