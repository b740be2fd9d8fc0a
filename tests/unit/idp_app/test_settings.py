"""Settings: one frozen object, or every mistake at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from federation.errors import ConfigurationError
from idp_app.settings import IdPSettings, read

GOOD = {
    "idp.public_url": "https://idp.example.org/",
    "idp.scope": "example.org",
    "idp.database_url": "sqlite:////var/lib/idp.sqlite",
    "idp.keys_directory": "/etc/idp/keys",
}


def test_the_least_that_must_be_said_is_enough():
    settings = read(GOOD)
    assert settings.own_entity_id == "https://idp.example.org/saml/metadata"
    assert settings.sso_url == "https://idp.example.org/saml/sso"
    assert settings.host == "idp.example.org"
    assert settings.secure
    assert settings.keys_directory == Path("/etc/idp/keys")


def test_an_entity_id_of_its_own_is_kept():
    assert read({**GOOD, "idp.entity_id": "urn:example:idp"}).own_entity_id == "urn:example:idp"


def test_durations_are_written_with_their_unit():
    assert read({**GOOD, "idp.session_lifetime": "8 hours"}).session_lifetime == timedelta(hours=8)


def test_plain_http_needs_loopback_and_permission():
    loopback = {**GOOD, "idp.public_url": "http://localhost:6543"}
    assert not read({**loopback, "idp.allow_http_loopback": "true"}).secure
    with pytest.raises(ConfigurationError, match="must be https"):
        read(loopback)
    with pytest.raises(ConfigurationError, match="plain http is only for loopback"):
        read({**GOOD, "idp.public_url": "http://idp.example.org", "idp.allow_http_loopback": "true"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("entity_id", "no-uri"),
        ("entity_id", "https://" + "x" * 256),
        ("scope", "exa mple.org"),
        ("scope", "@example.org"),
        ("support_email", "help"),
        ("support_email", "a b@example.org"),
        ("session_idle", "1 minute"),
        ("session_lifetime", "30 days"),
        ("clock_skew", "6 minutes"),
        ("assertion_lifetime", "5"),
        ("metadata_validity", "60 days"),
        ("password_time_cost", "0"),
        ("site_name", ""),
    ],
)
def test_a_value_that_cannot_be_is_named(name: str, value: str):
    with pytest.raises(ConfigurationError) as raised:
        read({**GOOD, f"idp.{name}": value})
    assert len(raised.value.problems) == 1
    assert f"idp.{name}" in raised.value.problems[0]


def test_every_mistake_is_told_at_once():
    with pytest.raises(ConfigurationError) as raised:
        read({"idp.scope": "", "idp.sesion_idle": "1 hour", "other.setting": "x"})
    assert len(raised.value.problems) == 5


def test_every_setting_explains_itself():
    assert all(field.description for field in IdPSettings.model_fields.values())
