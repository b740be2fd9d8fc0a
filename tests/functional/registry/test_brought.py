"""Metadata that a person brings: nothing counts before it was seen in words, and vouched for by somebody or a key."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from webtest import TestResponse, Upload

from federation.errors import PolicyRefusal
from federation.registry import versions
from federation.saml.metadata import fingerprints
from idp_app.models import Connection, Trust
from tests.functional.registry.test_partner import INTRANET, bring, decide, follow, history, live, with_keys
from tests.functional.registry.test_source_pages import form_of, serving_staff
from tests.idp_factories import NOW, FakeSP, IdPSite
from tests.registry_factories import Server, plain

UNSIGNED = f'<?xml version="1.0"?>{plain(with_keys("sp-next").metadata(NOW))}'.encode()
WHOLE = fingerprints.of_document(UNSIGNED).value


def page_for(idp: IdPSite, username: str = "admin") -> TestResponse:
    browser = idp.sign_in(username)
    return browser.get("/admin/connections").click("Intranet").click("Bring newer metadata")


def brought(page: TestResponse, document: bytes, *, how: str = "file", **more: Any) -> TestResponse:
    form = form_of(page, "text")
    for name, value in more.items():
        form[name] = value
    if how == "file":
        form["file"] = Upload("sp.xml", document)
        return form.submit(expect_errors=True)
    form["text"] = document.decode()
    return form.submit(expect_errors=True)


@pytest.mark.parametrize("how", ["file", "paste"])
def test_a_signed_document_is_seen_in_words_and_changes_nothing_until_it_is_accepted(idp: IdPSite, how: str):
    idp.connect(INTRANET)
    sp = replace(INTRANET, idp_url=idp.installation.settings.public_url)
    assert idp.sign_in("alice").get(sp.redirect_url()).status_int == 200
    review = brought(page_for(idp), with_keys("sp-next").metadata(NOW), how=how).follow()
    assert "has the new key" in review
    assert "reduces" in review
    assert "1 person in the last 30 days" in review
    assert "metadata.contact.missing" in review
    assert history(idp) == [(2, "waiting for review"), (1, "live")]
    assert len(live(idp).sp.signing_keys) == 1
    assert idp.sign_in("alice").get(sp.redirect_url()).status_int == 200, "not even what it takes back is gone"
    accept = next(form for form in review.forms.values() if "Accept now" in form.text)
    assert "The version is live." in accept.submit("action", value="accept").follow()
    assert history(idp) == [(2, "live"), (1, "superseded")]
    assert idp.sign_in("alice").get(sp.redirect_url(), expect_errors=True).status_int in (400, 403)


def test_what_nobody_vouches_for_waits_until_its_fingerprints_were_compared(idp: IdPSite):
    idp.connect(INTRANET)
    refused = brought(page_for(idp), UNSIGNED)
    assert refused.status_int == 400, "a partner that signed goes on signing"
    assert "signature" in refused
    assert base64.b64decode(form_of(refused, "text")["carried"].value) == UNSIGNED, "what was brought is kept"
    with idp.work() as session:
        connection = session.query(Connection).one()
        connection.trust = Trust.CONFIRMED
        version = versions.live_version(session, metadata_host(), connection)
        version.trust = "confirmed keys"
    review = brought(page_for(idp), UNSIGNED).follow()
    assert "Nothing vouches for this document yet" in review
    assert WHOLE in review
    assert "Accept now" not in review
    with pytest.raises(PolicyRefusal, match="nothing vouches"):
        decide(idp, 2, versions.accept)
    with pytest.raises(PolicyRefusal, match="nothing vouches"):
        decide(idp, 2, versions.schedule, idp.clock() + timedelta(days=1))
    for action in ("accept", "schedule"):  # nor by a form that was made up
        form = form_of(review, "fingerprints")
        form["fingerprints"] = "x"
        assert form.submit("action", value=action, expect_errors=True).status_int == 400
    form = form_of(review, "fingerprints")
    for wrong in ("AA" * 32, "not a fingerprint", fingerprints.of_document(b"<other/>").value):
        form["fingerprints"] = wrong
        assert "not what stands in the document" in form.submit("action", value="confirm", status=400)
    form["fingerprints"] = WHOLE.lower()
    review = form.submit("action", value="confirm").follow()
    assert "The fingerprints are confirmed." in review
    assert history(idp)[0] == (2, "waiting for review")
    accept = next(form for form in review.forms.values() if "Accept now" in form.text)
    accept.submit("action", value="accept").follow()
    assert history(idp)[0] == (2, "live")
    assert idp.connection("Intranet").trust is Trust.CONFIRMED
    kinds = [entry.kind for entry in idp.audit()]
    assert kinds.index("metadata.brought") < kinds.index("metadata.confirmed") < kinds.index("metadata.live")


def metadata_host() -> Any:
    from idp_app.services.metadata import HOST

    return HOST


def test_what_cannot_be_used_is_refused_whole_and_kept_in_the_form(idp: IdPSite):
    idp.connect(INTRANET)
    page = page_for(idp)
    good = INTRANET.metadata(NOW)
    bad = {
        "": "Choose a file, or paste it",
        "<html/>": "EntityDescriptor",
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>': "DOCTYPE",
        good.decode()[:500]: "well-formed",
        good.decode().replace("Intranet", "Evil net"): "signature",
        FakeSP(name="Other", origin="http://localhost:6999").metadata(NOW).decode(): "entity",
        INTRANET.metadata(NOW - timedelta(days=60)).decode(): "valid",
    }
    for document, words in bad.items():
        answer = brought(page, document.encode(), how="paste")
        assert answer.status_int == 400
        assert words.lower() in answer.text.lower(), words
        assert form_of(answer, "text")["text"].value.strip().replace("\r", "")[:200] == document.strip()[:200]
    assert history(idp) == [(1, "live")]


def test_what_was_brought_and_what_a_source_brings_do_not_push_each_other_out(idp: IdPSite, server: Server):
    source = follow(idp, server)
    brought(page_for(idp), with_keys("sp", "sp-next").metadata(NOW)).follow()
    said = bring(idp, server, source, INTRANET.metadata(idp.clock() + timedelta(hours=1)))
    assert said == "version 1: renewed"
    assert history(idp)[0] == (2, "waiting for review"), "a renewal of what is live takes no proposal away"
    brought(page_for(idp), with_keys("sp-next").metadata(NOW)).follow()
    assert history(idp)[:2] == [(3, "waiting for review"), (2, "superseded")], "a newer proposal does"


def test_a_site_is_connected_by_its_metadata_with_its_fingerprints_compared(idp: IdPSite):
    browser = idp.sign_in("admin")
    page = browser.get("/admin/connections").click("Connect a site by its metadata")
    form = form_of(page, "signers")
    assert "choose a file" in form.submit(status=400).text.lower()
    form = serving_staff(form_of(page, "signers"))
    form["file"], form["release"], form["name"] = Upload("sp.xml", UNSIGNED), "directory", "The intranet"
    page = form.submit()
    assert "Nothing vouches for this document yet" in page
    assert WHOLE in page
    assert idp.count(Connection) == 0
    form = form_of(page, "fingerprints")
    form["fingerprints"] = "AA" * 32
    page = form.submit(status=400)
    assert "not the fingerprints of this document" in page
    form = form_of(page, "fingerprints")
    assert form["name"].value == "The intranet"
    form["fingerprints"] = WHOLE
    done = form.submit().follow()
    assert "The site is connected." in done
    connection = idp.connection("The intranet")
    assert connection.trust is Trust.CONFIRMED
    assert connection.trust_fingerprints == [WHOLE]
    # A signer that is pinned needs nobody to compare anything; what is connected already is brought elsewhere.
    again = serving_staff(form_of(browser.get("/admin/connections/new"), "signers"))
    again["text"], again["signers"] = INTRANET.metadata(NOW).decode(), INTRANET.fingerprint
    assert "is connected already" in again.submit(status=400)
    other = FakeSP(name="Library", origin="http://localhost:6545")
    again["text"] = other.metadata(NOW).decode()
    assert "The site is connected." in again.submit().follow()
    assert idp.connection("Library").trust is Trust.SIGNED
    assert idp.sign_in("alice").get("/admin/connections/new", status=403)
