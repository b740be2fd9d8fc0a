"""What a request may hold besides, answered as SAML Core demands (3.4.1.1, 3.4.1.2)."""

from __future__ import annotations

from typing import Any

import pytest

from federation.saml.messages import NameIDPolicy, Scoping
from federation.saml.names import NameIDFormat, StatusCode
from federation.saml.profiles.refusals import StatusRefused
from tests.idp_factories import FakeSP, IdPSite

ANOTHER = "https://another.example.org"


@pytest.mark.conformance("IIP-SSO07", "IIP-IDP10")
@pytest.mark.parametrize(
    "content",
    [
        {"scoping": Scoping(proxy_count=0, requester_ids=(ANOTHER,))},
        {"name_id_policy": NameIDPolicy()},
        {"name_id_policy": NameIDPolicy(NameIDFormat.PERSISTENT, allow_create=False)},
        {"name_id_policy": NameIDPolicy(NameIDFormat.UNSPECIFIED, allow_create=True)},
    ],
    ids=["scoping", "an empty policy", "no creation", "unspecified"],
)
def test_it_is_tolerated(idp: IdPSite, intranet: FakeSP, content: dict[str, Any]) -> None:
    page = idp.sign_in("alice").get(intranet.redirect_url(idp.clock(), **content))
    assert intranet.accept(page, idp.entity, idp.clock()).name_id is not None


@pytest.mark.conformance("IIP-SSO07", "IIP-IDP05", "IIP-IDP10")
@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({"scoping": Scoping(idp_list=(ANOTHER,))}, StatusCode.NO_SUPPORTED_IDP),
        ({"name_id_policy": NameIDPolicy("urn:example:unknown")}, StatusCode.INVALID_NAME_ID_POLICY),
        ({"name_id_policy": NameIDPolicy(sp_name_qualifier=ANOTHER)}, StatusCode.INVALID_NAME_ID_POLICY),
    ],
    ids=["others' list", "an unknown format", "for another site"],
)
def test_it_is_answered_with_its_error(idp: IdPSite, intranet: FakeSP, content: dict[str, Any], status: str) -> None:
    page = idp.sign_in("alice").get(intranet.redirect_url(idp.clock(), **content))
    with pytest.raises(StatusRefused) as refused:
        intranet.accept(page, idp.entity, idp.clock())
    assert refused.value.status.second_level == status
