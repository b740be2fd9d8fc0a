"""Both sites change every key that they have, one after the other, and at each step people sign in and out."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from webtest import TestApp

from federation.errors import ConfigurationError, PolicyRefusal, Refused
from federation.keys.desk import Desk
from federation.saml import certificates, encryption, signature, xml
from federation.saml.metadata.entity import KeyDescriptor
from federation.web.reference import new_reference
from idp_app.options import Options
from idp_app.services import connections as idp_connections
from idp_app.services import keys as idp_keys
from sp_app.services import keys as sp_keys
from tests import trees
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
    sealed = trees.new("{urn:oasis:names:tc:SAML:2.0:assertion}EncryptedAssertion", {})
    recipient = KeyDescriptor("encryption", certificates.public_key_of(old), old)
    sealed.append(xml.lift(encryption.encrypt(b"<secret/>", key=recipient)))
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


def test_canaries_and_a_connection_of_its_own_get_the_new_key_before_everybody(pair: Pair) -> None:
    new = at_idp(pair, "prepare", "signing").name
    at_idp(pair, "publish", new)
    keys = pair.idp.installation.keys
    at_idp(pair, "choose_canaries", ["alice"])
    assert sees_new_key(pair, "alice")
    assert not sees_new_key(pair, "carol")
    pair.sp_reads_idp()
    works(pair, "alice")
    works(pair, "carol")

    at_idp(pair, "choose_canaries", [])
    assert not sees_new_key(pair, "alice")
    with pair.idp.work() as session:
        connection = idp_connections.find(session, "Intranet")
        chosen = Options.from_json(connection.options).changed((), [f"key={new}"])
        idp_connections.set_options(session, connection, chosen, pair.idp.act(), pair.idp.installation.ready)
        wrong = chosen.changed((), ["key=signing-1999"])
        with pytest.raises(ConfigurationError, match="signing-1999"):
            idp_connections.set_options(session, connection, wrong, pair.idp.act(), pair.idp.installation.ready)
    assert sees_new_key(pair, "carol")
    assert pair.idp.installation.keys.signing.public_key == keys.signing.public_key
    works(pair, "carol")


def sees_new_key(pair: Pair, username: str) -> bool:
    """Whether the response about this person verifies by the key that is not in use yet, and by no other."""
    browser = pair.browser()
    browser.sign_in(username)
    fields = browser.answered().forms["message"].submit_fields()
    root = xml.parse(base64.b64decode(dict(fields)["SAMLResponse"]))
    keys = pair.idp.installation.keys
    assert keys.following is not None
    try:
        signature.verify(root, keys=[keys.following.public_key])
    except Refused:
        signature.verify(root, keys=[keys.signing.public_key])
        return False
    return True


def test_the_console_leads_a_key_from_its_making_to_its_end(pair: Pair) -> None:
    browser = pair.idp.sign_in("admin")

    def press(name: str, about: str = "") -> str:
        forms = browser.get("/admin/keys").forms.values()
        form = next(each for each in forms if f"<span>{name}</span>" in each.text and about in each.text)
        done = form.submit("action", expect_errors=True)
        return done.follow().text if done.status_int == 303 else done.text

    assert "Unencrypted on disk" in browser.get("/admin/keys").text
    assert "The key is made" in press("Prepare a key")
    page = press("Publish")
    assert "in our metadata" in page
    assert "Not known to have signing-" in page
    assert "load this metadata again" in page
    assert "2027-03-01T06:00, in UTC" in press("Leave it to the worker")
    assert "has our present metadata" in press("Confirm")
    assert "in use, in every process" in press("Promote", 'value="signing-')
    assert "The key is gone" in press("Retire", 'value="signing"')
    assert len(pair.idp.installation.keys.signing_certificates) == 1
    token = browser.get("/admin/keys").forms[0]["csrf_token"].value
    browser.post("/admin/keys", {"action": "retire", "key": "no-such-key", "csrf_token": token}, status=400)
    pair.idp.sign_in("alice").get("/admin/keys", status=403)


def test_a_site_that_fetches_from_its_own_address_has_seen_the_key_and_the_worker_promotes_it(pair: Pair) -> None:
    new = at_idp(pair, "prepare", "signing").name
    at_idp(pair, "publish", new)
    at_idp(pair, "plan", new, on=None, share=100)
    (partner,) = next(each for each in at_idp(pair, "status").rows if each.record.name == new).laggards
    assert partner.address is not None
    with pair.idp.work() as session:
        desk = idp_keys.desk(pair.idp.installation, session, pair.idp.act())
        assert partner.address in desk.text_to(partner, desk.ring.index().get(new))
    path = partner.address.removeprefix(pair.idp.installation.settings.public_url)
    strangers = ("/saml/metadata", path[:-1] + ("0" if path[-1] != "0" else "1"), "/saml/metadata?for=.", path + "0")
    anybody = TestApp(pair.idp.app)
    for made_up in strangers:
        assert anybody.get(made_up).content_type == "application/samlmetadata+xml"
    assert pair.idp.installation.key_store.ring.index().known == {}
    assert at_idp(pair, "advance") == []
    assert anybody.get(path).content_type == "application/samlmetadata+xml"
    known = pair.idp.installation.key_store.ring.index().known[pair.sp.provider.entity_id]
    assert known.how == "it fetched our metadata from its own address"
    assert anybody.get(path).status_int == 200
    assert next(each for each in at_idp(pair, "status").rows if each.record.name == new).state == "seen"
    assert at_idp(pair, "advance") == [new]
    assert pair.idp.installation.keys.index.current("signing").name == new
    # And what is published later is not known by that.
    later = at_idp(pair, "prepare", "encryption").name
    pair.idp.clock.advance(minutes=1)
    at_idp(pair, "publish", later)
    at_idp(pair, "plan", later, on=pair.idp.clock() + timedelta(days=1), share=None)
    assert next(each for each in at_idp(pair, "status").rows if each.record.name == later).laggards
    pair.idp.clock.advance(days=1)
    assert at_idp(pair, "advance") == [later], "its date has come"


def test_an_identity_provider_that_fetches_from_its_own_address_has_seen_the_site_s_key(pair: Pair) -> None:
    new = at_sp(pair, "prepare", "signing").name
    at_sp(pair, "publish", new)
    (partner,) = next(each for each in at_sp(pair, "status").rows if each.record.name == new).laggards
    assert partner.address is not None
    (again,) = next(each for each in at_sp(pair, "status").rows if each.record.name == new).laggards
    assert again.address == partner.address
    path = partner.address.removeprefix(pair.sp.provider.settings.public_url)
    anybody = TestApp(pair.sp.app)
    for made_up in ("/saml/metadata", path + "0", "/saml/metadata?for="):
        assert anybody.get(made_up).content_type == "application/samlmetadata+xml"
    assert pair.sp.provider.ring.index().known == {}
    assert anybody.get(path).content_type == "application/samlmetadata+xml"
    assert list(pair.sp.provider.ring.index().known) == [pair.idp.installation.settings.own_entity_id]
    assert next(each for each in at_sp(pair, "status").rows if each.record.name == new).state == "seen"
