import pytest
from saml2.attributemaps import saml_uri

from federation.attributes.catalogue import CATALOGUE, entry_named, requested_attribute
from federation.errors import ConfigurationError
from federation.saml.names import NameFormat

MAIL = "urn:oid:0.9.2342.19200300.100.1.3"


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)
def test_every_name_is_the_one_the_world_uses(entry):
    assert saml_uri.MAP["to"][entry.friendly_name] == entry.name


def test_no_two_attributes_share_a_name():
    names = [entry.name for entry in CATALOGUE.values()]
    assert len(set(names)) == len(names)


def test_the_catalogue_cannot_be_changed():
    with pytest.raises(TypeError):
        CATALOGUE["mail"] = CATALOGUE["username"]


@pytest.mark.parametrize("name_format", [NameFormat.URI, NameFormat.UNSPECIFIED, None])
def test_a_name_is_found_with_its_format_or_with_none_in_particular(name_format):
    entry = entry_named(MAIL, name_format)
    assert entry is not None
    assert entry.key == "mail"


@pytest.mark.parametrize(
    ("name", "name_format"), [(MAIL, NameFormat.BASIC), ("mail", NameFormat.BASIC), ("mail", None)]
)
def test_another_format_or_a_friendly_name_is_another_attribute(name, name_format):
    assert entry_named(name, name_format) is None


def test_a_requested_attribute_is_written_in_full():
    requested = requested_attribute("mail", required=True)
    assert (requested.name, requested.name_format, requested.friendly_name) == (MAIL, NameFormat.URI, "mail")
    assert requested.is_required


def test_an_unknown_key_is_our_mistake():
    with pytest.raises(ConfigurationError, match="'shoe_size'"):
        requested_attribute("shoe_size")
