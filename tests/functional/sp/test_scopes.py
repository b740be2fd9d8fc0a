"""What an identity provider may not speak for is not believed, and any format of NameID will do."""

from __future__ import annotations

import pytest
from webtest import TestApp

from federation.saml.messages import NameID
from federation.saml.names import NameIDFormat
from tests.sp_factories import Site, attributes

PRINCIPAL = "urn:oid:1.3.6.1.4.1.5923.1.1.1.6"
AFFILIATION = "urn:oid:1.3.6.1.4.1.5923.1.1.1.9"


@pytest.mark.conformance("SDP-SP17")
def test_scoped_values_of_another_domain_are_not_taken_over(site: Site, browser: TestApp) -> None:
    told = attributes(
        principal_name="alice@evil.example", scoped_affiliation=["staff@example.org", "staff@evil.example"]
    )
    site.sign_in(browser, attributes=told)
    believed = browser.get("/whoami").json["attributes"]
    assert PRINCIPAL not in believed
    assert believed[AFFILIATION] == ["staff@example.org"]


@pytest.mark.conformance("IIP-SP12", "IIP-SSO05")
@pytest.mark.parametrize(
    "name_id",
    [
        NameID('Ünïcode / with spaces, "quotes" & <angles>', NameIDFormat.PERSISTENT),
        NameID("alice@example.org", NameIDFormat.EMAIL),
        NameID("alice", NameIDFormat.UNSPECIFIED),
        NameID("x" * 256, "urn:example:a-format-of-our-own"),
        NameID("alice"),
        None,
    ],
    ids=["persistent", "e-mail", "unspecified", "unknown", "no format", "left out"],
)
def test_any_format_of_the_name_id_will_do(site: Site, browser: TestApp, name_id: NameID | None) -> None:
    assert site.sign_in(browser, name_id=name_id).status_int == 303
    assert browser.get("/whoami").json["signed_in"]
