"""What the server says about itself (RFC 7644 4; RFC 7643 5 to 7)."""

from __future__ import annotations

from typing import Any

import pytest

from federation.scim import urns
from federation.scim.catalogue import USER
from tests.unit.federation.scim.test_server import BASE, Harness, content, error


@pytest.fixture
def scim() -> Harness:
    return Harness()


def test_the_configuration_says_what_there_is(scim: Harness) -> None:
    config = content(scim.send("GET", "/ServiceProviderConfig"))
    supported = {
        name: config[name]["supported"] for name in ("patch", "bulk", "filter", "changePassword", "sort", "etag")
    }
    assert supported == {
        "patch": True, "bulk": True, "filter": True, "changePassword": False, "sort": False, "etag": True,
    }  # fmt: skip
    assert config["authenticationSchemes"][0]["type"] == "oauthbearertoken"


def test_resource_types_name_schemas_that_exist(scim: Harness) -> None:
    types = content(scim.send("GET", "/ResourceTypes"))
    schemas = {each["id"] for each in content(scim.send("GET", "/Schemas"))["Resources"]}
    assert types["totalResults"] == 2
    for kind in types["Resources"]:
        assert kind["id"] == kind["name"]
        assert kind["schema"] in schemas
        assert {extension["schema"] for extension in kind["schemaExtensions"]} <= schemas
        assert content(scim.send("GET", f"/ResourceTypes/{kind['id']}")) == kind
        assert kind["meta"]["location"] == f"{BASE}/ResourceTypes/{kind['id']}"


def test_a_schema_is_found_by_its_urn(scim: Harness) -> None:
    schema = content(scim.send("GET", f"/Schemas/{urns.USER}"))
    assert (schema["id"], schema["name"]) == (urns.USER, "User")
    assert error(scim.send("GET", "/Schemas/urn:nothing"))[0] == 404


def test_every_attribute_says_what_it_is(scim: Harness) -> None:
    def check(attribute: dict[str, Any]) -> None:
        assert attribute["description"]
        assert attribute["mutability"] in ("readOnly", "readWrite", "immutable")
        assert attribute["returned"] in ("always", "default")
        assert None not in attribute.values()
        if attribute["type"] == "reference":
            assert attribute["referenceTypes"]
        for sub in attribute.get("subAttributes", ()):
            check(sub)

    for schema in content(scim.send("GET", "/Schemas"))["Resources"]:
        for attribute in schema["attributes"]:
            check(attribute)


def test_the_schema_is_what_the_server_reads(scim: Harness) -> None:
    shown = {each["name"] for each in content(scim.send("GET", f"/Schemas/{urns.USER}"))["attributes"]}
    assert shown == {attribute.name for attribute in USER.schema.attributes}
    assert "password" not in shown


def test_discovery_cannot_be_filtered(scim: Harness) -> None:
    for path in ("/ServiceProviderConfig", "/ResourceTypes", "/Schemas"):
        assert error(scim.send("GET", f"{path}?filter=id pr"))[0] == 403
