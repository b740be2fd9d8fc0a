"""Both sites change every key that they have, one after the other, and at each step people sign in and out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.errors import PolicyRefusal, Refused
from federation.keys.desk import Desk
from federation.saml import certificates, encryption, xml
from federation.saml.metadata.entity import KeyDescriptor
from federation.web.reference import new_reference
from idp_app.services import keys as idp_keys
from sp_app.services import keys as sp_keys
from tests.pair import Pair, connected, private_page


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with connected(tmp_path) as made:
        yield made


def at_idp(pair: Pair, do: str, *arguments: object, **more: object) -> object:
    with pair.idp.work() as session:
        return getattr(idp_keys.desk(pair.idp.installation, session, pair.idp.act()), do)(*arguments, **more)


def at_sp(pair: Pair, do: str, *arguments: object, **more: object) -> object:
    with pair.sp.unit_of_work() as session:
        desk: Desk = sp_keys.desk(pair.sp.provider, session, pair.sp.clock(), new_reference(), "a test")
        return getattr(desk, do)(*arguments, **more)


def works(pair: Pair, username: str = "alice") -> None:
    browser = pair.browser()
    browser.sign_in(username)
    page = private_page(pair, browser)
    assert (page.status_int, pair.sp.rows("SELECT count(*) FROM sp_session WHERE ended_at IS NULL") != [(0,)]) == (
        200,
        True,
    ), page.text


def test_the_identity_provider_s_signing_key_changes_without_an_outage(pair: Pair) -> None:
    old = pair.idp.installation.keys.signing.public_key
    works(pair)
    new = at_idp(pair, "prepare", "signing").name
    at_idp(pair, "publish", new)
    works(pair)
    with pytest.raises(PolicyRefusal, match="Intranet"):
        at_idp(pair, "promote", new)
    pair.sp_reads_idp()
    works(pair)

    held = pair.browser()
    held.sign_in()
    on_its_way = held.answered()  # signed by the old key, and delivered after the new one took over
    at_idp(pair, "confirm", pair.sp.provider.entity_id, "olga")
    at_idp(pair, "promote", new)
    assert pair.idp.installation.keys.signing.public_key != old
    assert held.follow(on_its_way).status_int == 200
    works(pair)
    pair.sp_reads_idp()
    works(pair)

    at_idp(pair, "retire", "signing")
    works(pair)
    pair.sp_reads_idp()
    works(pair)
    with pair.sp.unit_of_work() as session:
        live = pair.sp.provider.partners.known_by(session, pair.idp.entity.entity_id)
        assert old not in [key.public_key for key in live.entity.idp.signing_keys], "nobody believes it any more"
    kinds = [entry.kind for entry in pair.idp.audit() if entry.kind.startswith("keys.")]
    assert kinds == ["keys.prepared", "keys.published", "keys.confirmed", "keys.promoted", "keys.retired"]


def test_the_service_provider_s_encryption_key_changes_and_messages_show_who_knows_it(pair: Pair) -> None:
    works(pair)
    old = pair.sp.provider.keys.encryption_certificates[0]
    new = at_sp(pair, "prepare", "encryption").name
    at_sp(pair, "publish", new)
    works(pair)
    row = next(each for each in at_sp(pair, "status").rows if each.record.name == new)
    assert (row.state, [each.name for each in row.laggards]) == ("published", ["Example University"])
    at_sp(pair, "promote", new, anyway=True)
    works(pair)  # the identity provider still encrypts to the old one
    pair.idp_reads_sp()
    assert pair.sp.provider.ring.index().known == {}
    works(pair)
    assert "encrypted a message" in pair.sp.provider.ring.index().known[pair.idp.entity.entity_id].how

    opened = pair.sp.provider.keys.decryption
    at_sp(pair, "retire", "encryption", at_once=True)
    works(pair)
    sealed = xml.new("{urn:oasis:names:tc:SAML:2.0:assertion}EncryptedAssertion", {})
    recipient = KeyDescriptor("encryption", certificates.public_key_of(old), old)
    sealed.append(encryption.encrypt(b"<secret/>", key=recipient))
    assert encryption.decrypt(xml.reparse(xml.serialise(sealed)), opened).tag == "secret"
    with pytest.raises(Refused):
        encryption.decrypt(xml.reparse(xml.serialise(sealed)), pair.sp.provider.keys.decryption)


def test_the_service_provider_s_signing_key_changes_without_an_outage(pair: Pair) -> None:
    new = at_sp(pair, "prepare", "signing").name
    at_sp(pair, "publish", new)
    works(pair)
    pair.idp_reads_sp()
    at_sp(pair, "confirm", pair.idp.entity.entity_id, "olga")
    at_sp(pair, "promote", new)
    works(pair)
    at_sp(pair, "retire", "signing")
    works(pair)
    pair.idp_reads_sp()
    works(pair)
