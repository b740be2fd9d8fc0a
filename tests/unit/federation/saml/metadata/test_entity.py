from federation.saml.metadata.entity import Entity, IdPRole, KeyDescriptor, Organization, SPRole, UIInfo

SIGNING, ENCRYPTION, BOTH = (
    KeyDescriptor(use, use.encode() if use else b"both") for use in ("signing", "encryption", None)
)


def test_a_key_without_a_use_counts_for_both():
    """IIP-MD11."""
    role = SPRole(keys=(SIGNING, ENCRYPTION, BOTH))
    assert role.signing_keys == (SIGNING, BOTH)
    assert role.encryption_keys == (ENCRYPTION, BOTH)


def test_any_number_of_keys_is_kept_in_order():
    """IIP-MD07, IIP-MD08."""
    keys = tuple(KeyDescriptor("signing", bytes([number])) for number in range(20))
    assert IdPRole(keys=keys).signing_keys == keys


def test_the_values_of_an_attribute_add_up():
    entity = Entity("urn:x", attributes=(("a", ("1",)), ("b", ("2",)), ("a", ("3",))))
    assert entity.attribute("a") == ("1", "3")


def test_people_see_the_name_in_their_language_or_the_first_or_the_identifier():
    named = SPRole(ui_info=UIInfo(display_names=(("de", "Beispiel"), ("en", "Example"))))
    organization = Organization(display_names=(("fr", "Exemple"),))
    assert Entity("urn:x", sp=named, organization=organization).display_name() == "Example"
    assert Entity("urn:x", sp=named).display_name("de") == "Beispiel"
    assert Entity("urn:x", sp=named).display_name("fr") == "Beispiel"
    assert Entity("urn:x", sp=SPRole(), organization=organization).display_name() == "Exemple"
    assert Entity("urn:x", sp=SPRole()).display_name() == "urn:x"


def test_a_key_is_never_spelled_out_in_a_log():
    assert "both" not in repr(BOTH)
