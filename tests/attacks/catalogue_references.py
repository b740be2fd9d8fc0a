"""Artifacts that a browser brings, each wrong in just the way that one named check looks for (see `catalogue`)."""

from __future__ import annotations

from federation.saml.bindings import artifact as binding
from federation.saml.bindings.artifact import Artifact
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import Binding
from federation.saml.profiles import artifact, artifact_rules
from tests import factories
from tests.attacks.catalogue import Attack
from tests.attacks.deliveries import ARTIFACT_URL


def reference(entity_id: str = factories.IDP, index: int = 0) -> Artifact:
    """An artifact as somebody made it."""
    return binding.create(entity_id, endpoint_index=index, random=lambda size: b"h" * size)


ATTACKS = (
    Attack(
        artifact_rules.source,
        "an artifact of another identity provider",
        lambda: reference("https://evil.example/saml/metadata"),
    ),
    Attack(
        artifact_rules.endpoint,
        "an artifact for an endpoint that the metadata does not have",
        lambda: reference(index=1),
        behind="StopIteration",
    ),
    Attack(
        artifact_rules.endpoint,
        "an artifact for an endpoint that speaks no SOAP",
        lambda: reference(index=2),
        behind="StopIteration",
    ),
)


def judge(attack: Attack) -> object:
    """Where the artifact would be resolved."""
    services = (Endpoint(Binding.SOAP, ARTIFACT_URL, index=0), Endpoint(Binding.POST, ARTIFACT_URL, index=2))
    idp = factories.idp_entity(artifact_resolution=services)
    assert idp.idp is not None
    return artifact.service_of(attack.message(), idp, idp.idp)
