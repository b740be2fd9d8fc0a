"""The settings of a service provider."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from federation.errors import ConfigurationError
from sp_app.settings import SPSettings, read
from tests.sp_factories import site_settings


def raw(**settings: str) -> dict[str, str]:
    return site_settings(Path("/srv/site"), **settings)


def test_durations_are_written_with_their_unit() -> None:
    settings = read(raw(session_lifetime="8 hours", clock_skew="90 seconds"))
    assert settings.session_lifetime == timedelta(hours=8)
    assert settings.clock_skew == timedelta(seconds=90)


def test_attributes_are_listed_with_spaces_or_lines() -> None:
    assert read(raw(requested_attributes="display_name\n  mail")).requested_attributes == ("display_name", "mail")


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(
            raw(
                public_url="ftp://x",
                clock_skew="1 hour",
                default_target="//evil",
                requested_attributes="shoe_size",
                typo="x",
            )
        )
    text = "\n".join(caught.value.problems)
    for key in ("public_url", "clock_skew", "default_target", "requested_attributes", "typo"):
        assert f"sp.{key}" in text


def test_plain_http_is_for_loopback_and_only_when_allowed() -> None:
    assert read(raw(public_url="http://localhost:6544", allow_http_loopback="true"))
    for wrong in (
        {"public_url": "http://localhost:6544"},
        {"public_url": "http://intranet.example", "allow_http_loopback": "true"},
    ):
        with pytest.raises(ConfigurationError):
            read(raw(**wrong))


def test_a_support_address_is_an_address() -> None:
    with pytest.raises(ConfigurationError):
        read(raw(support_email="nobody"))


def test_an_entity_id_is_an_absolute_uri() -> None:
    for wrong in ("intranet", "urn:" + "x" * 300):
        with pytest.raises(ConfigurationError):
            read(raw(entity_id=wrong))


def test_every_setting_says_what_it_is() -> None:
    for name, field in SPSettings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


def test_what_belongs_to_others_is_left_alone() -> None:
    assert read({**raw(), "idp.site_name": "x", "pyramid.reload_templates": "true"})
