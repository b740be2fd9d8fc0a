"""Message identifiers."""

from federation.saml.identifiers import new_id
from federation.saml.xml import is_ncname


def test_an_identifier_is_an_ncname_of_128_random_bits() -> None:
    assert new_id(lambda count: b"\xab" * count) == "_" + "ab" * 16
    assert is_ncname(new_id())
    assert new_id() != new_id()
