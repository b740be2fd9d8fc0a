"""Base32 of a digest is what Python's own encoder writes, in lower case and without padding."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from federation.attributes import base32


@given(st.binary(min_size=base32.SIZE, max_size=base32.SIZE))
def test_it_is_what_the_standard_library_writes(octets):
    assert base32.lower(octets) == base64.b32encode(octets).decode().rstrip("=").lower()


def test_every_bit_has_its_place():
    for place in range(8 * base32.SIZE):
        octets = (1 << place).to_bytes(base32.SIZE, "big")
        assert base32.lower(octets) == base64.b32encode(octets).decode().rstrip("=").lower(), place
