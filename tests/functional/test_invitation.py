"""Connect by invitation: two sites that run, and talk over HTTP on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from sqlalchemy import text
from webtest import TestResponse

from federation.registry.invitation import Link, Proposal, agreement
from federation.saml.identifiers import new_id
from federation.saml.profiles import bearer_grant
from idp_app.models import Connection, ConnectionState
from idp_app.services import invitations
from sp_app.models import Account, IdPConnection
from sp_app.services import administrators
from sp_app.services.invitation_calls import InvitationFailed
from tests.factories import signing_key
from tests.idp_factories import FakeSP
from tests.live import free_ports
from tests.sp_factories import attributes, make_site
from tests.strangers import Two, strangers


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with strangers(tmp_path) as both:
        yield both


def refused(two: Two, link: str) -> str:
    """The sentence with which a link fails; nothing was made of it."""
    before = two.sp.counts()
    with pytest.raises(InvitationFailed) as failed:
        two.begin(link)
    assert two.sp.counts() == before
    return failed.value.sentence


def test_two_strangers_become_partners_and_share_no_secret(two: Two) -> None:
    link = two.invite()
    token = urlsplit(link).path.rpartition("/")[2]
    assert token not in str(two.idp.installation.engine.connect().execute(text("select * from invitation")).all())

    begun = two.begin(link)
    assert (begun.name, begun.fingerprint) == ("Example University", two.idp.installation.keys.fingerprint)
    with two.idp.work() as session:
        seen = invitations.find(session, "Intranet")
        assert (seen.display_name, seen.fingerprint) == ("Intranet", two.sp.provider.keys.fingerprint)
    assert two.connections() == (0, 0)
    assert two.state() == "waiting for you"

    assert not two.agree(link)
    assert two.connections() == (0, 0)
    assert two.asked() == []
    assert two.confirm()
    assert two.connections() == (1, 0)
    assert two.asked() == ["Example University is connected by its invitation."]
    assert two.connections() == (1, 1)
    assert (two.state(), two.sp.counts()["sp_invitation"]) == ("connected", 0)

    report = two.provision()
    assert (report.errors, report.stopped) == ([], None)
    assert {row[0] for row in two.sp.rows("select display_name from sp_account")} >= {"Alice Archer", "Carol Clark"}
    [(secret,)] = two.idp.installation.engine.connect().execute(text("select provisioning_token from connection")).all()
    assert secret is None
    assert two.sp.rows("select count(*) from sp_scim_token where expires_at is null") == [(0,)]

    page = two.sp.browser().get("/private").follow()
    assert urlsplit(page.location).netloc == urlsplit(two.idp.installation.settings.public_url).netloc


def test_the_order_of_the_two_confirmations_does_not_matter(two: Two) -> None:
    link = two.invite()
    two.begin(link)
    assert not two.confirm()
    assert two.connections() == (0, 0)
    assert two.state() == "waiting for them"
    assert two.agree(link)
    assert two.connections() == (1, 1)


def test_a_link_is_good_once_for_one_site_for_a_while_and_until_it_is_taken_back(two: Two, tmp_path: Path) -> None:
    link = two.invite()
    two.begin(link)
    other = make_site(tmp_path / "other", public_url=f"http://localhost:{free_ports(1)[0]}", allow_http_loopback="true")
    assert "used already" in refused(Two(two.idp, other), link)
    two.begin(link)  # the same site, again: an answer may have been lost
    two.confirm()
    assert two.agree(link)
    with two.sp.unit_of_work() as session:
        session.query(IdPConnection).delete()
    assert "used already" in refused(two, link)
    other.provider.engine.dispose()

    late = two.invite("Late", lifetime=timedelta(days=1))
    gone = two.invite("Gone")
    with two.idp.work() as session:
        invitations.void(session, invitations.find(session, "Gone"), two.idp.act("admin"))
    assert "taken back" in refused(two, gone)
    assert "reference number" in refused(two, gone)
    two.idp.clock.advance(days=1)
    two.sp.clock.advance(days=1)
    assert "has expired" in refused(two, late)
    assert "no such invitation" in refused(two, late.replace("/connect/", "/connect/x"))


def test_what_answers_with_another_key_or_not_at_all_is_not_told_anything(two: Two) -> None:
    link = Link.read(two.invite(), allow_http_loopback=True)
    wrong = str(Link(link.address, two.sp.provider.keys.fingerprint))
    assert "not signed by the key that the link names" in refused(two, wrong)
    assert two.state() == "open"
    nowhere = str(Link(f"http://localhost:{free_ports(1)[0]}/connect/abc", link.fingerprint))
    assert "cannot be reached" in refused(two, nowhere)
    assert "cannot be reached" in refused(two, str(Link("https://10.0.0.1/connect/abc", link.fingerprint)))
    for text_ in ("", "hello", link.address, f"{link}&key=00", "http://example.org/connect/abc?key=" + "A" * 64):
        assert "link" in refused(two, text_)


# Attacks --------------------------------------------------------------------------------------------------------------


def post(link: Link, fields: dict[str, str]) -> httpx.Response:
    return httpx.post(link.exchange_url, content=urlencode(fields), headers={
        "Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"
    })  # fmt: skip


def test_nobody_proposes_or_agrees_for_somebody_else(two: Two) -> None:
    link = Link.read(two.invite(), allow_http_loopback=True)
    victim, mallory = two.sp.provider, signing_key("other-sp")
    document = victim.metadata(two.sp.clock())
    honest = Proposal(document, victim.scim_url, victim.token_url).signed(link.address, victim.keys.signing)
    forged = Proposal(document, victim.scim_url, victim.token_url).signed(link.address, mallory)
    for fields in (
        forged.to_form(),
        {**honest.to_form(), "scim_url": "https://evil.example/scim/v2"},
        {**honest.to_form(), "signature": ""},
        {**honest.to_form(), "metadata": honest.to_form()["metadata"][:-40]},
        Proposal(document, victim.scim_url, victim.token_url).signed("http://elsewhere", victim.keys.signing).to_form(),
        agreement(link.address, victim.entity_id, victim.keys.signing),
        {"step": "confirm"},
        {},
    ):
        answer = post(link, fields)
        assert answer.status_code in (400, 403, 409), fields
        assert answer.json()["reference"]
        assert two.state() == "open"
    assert post(link, honest.to_form()).status_code == 200
    assert post(link, agreement(link.address, victim.entity_id, mallory)).status_code == 400
    two.confirm()
    assert two.connections() == (0, 0)


def test_a_connected_site_is_never_changed_by_an_invitation(two: Two) -> None:
    sp = two.idp.connect(FakeSP("Learning", two.sp.origin, key_name="other-sp"))
    assert sp.entity_id == two.sp.provider.entity_id
    assert "connected here already" in refused(two, two.invite())
    with two.idp.work() as session:
        assert session.query(Connection).one().trust_fingerprints == [sp.fingerprint]


def connected(two: Two) -> None:
    link = two.invite()
    two.begin(link)
    two.confirm()
    assert two.agree(link)


def test_the_token_endpoint_takes_a_fresh_assertion_of_its_partner_once(two: Two) -> None:
    connected(two)
    url, keys = two.sp.provider.token_url, two.idp.installation.keys
    issuer = two.idp.installation.settings.own_entity_id
    good = {"issuer": issuer, "token_url": url, "now": two.sp.clock(), "signing_key": keys.signing}

    def ask(assertion: str, grant_type: str = bearer_grant.GRANT_TYPE) -> TestResponse:
        path = urlsplit(url).path
        fields = {"grant_type": grant_type, "assertion": assertion}
        return two.sp.browser().post(path, fields, expect_errors=True)

    def made(**changes: Any) -> str:
        return bearer_grant.build(**{"assertion_id": new_id(), **good, **changes})

    first = made()
    token = ask(first).json["access_token"]
    assert ask(first).json["error"] == "invalid_grant", "a second time"
    unsigned = (
        bearer_grant.decode(made()).split(b"<ds:Signature")[0]
        + bearer_grant.decode(made()).split(b"</ds:Signature>")[1]
    )
    for assertion in (
        made(token_url="https://elsewhere.example.org/saml/token"),
        made(issuer="https://nobody.example/saml/metadata"),
        made(signing_key=signing_key("other-idp")),
        made(now=two.sp.clock() - timedelta(minutes=10)),
        made(now=two.sp.clock() + timedelta(minutes=10)),
        bearer_grant.base64.urlsafe_b64encode(unsigned).decode(),
        bearer_grant.base64.urlsafe_b64encode(b"<x/>").decode(),
        "&&&",
        "",
    ):
        answer = ask(assertion)
        assert (answer.status_int, answer.json["error"]) == (400, "invalid_grant"), assertion
        assert "access_token" not in answer.text
    assert ask(made(), "password").json["error"] == "unsupported_grant_type"

    scim = two.sp.browser()
    bearer = {"Authorization": f"Bearer {token}"}
    assert scim.get("/scim/v2/ServiceProviderConfig", headers=bearer).status_int == 200
    two.sp.clock.advance(minutes=16)
    assert scim.get("/scim/v2/ServiceProviderConfig", headers=bearer, expect_errors=True).status_int == 401
    with two.sp.unit_of_work() as session:
        session.query(IdPConnection).one().state = "paused"
    assert ask(made(now=two.sp.clock())).status_int == 503


# Pages ----------------------------------------------------------------------------------------------------------------


def press(page: TestResponse, button: str) -> TestResponse:
    form = next(form for form in page.forms.values() if f"<span>{button}</span>" in form.text)
    return form.submit("action")


def test_the_consoles_do_the_same(two: Two) -> None:
    admin = two.idp.sign_in("admin")
    page = admin.get("/admin/invitations")
    form = next(form for form in page.forms.values() if "days" in form.fields)
    form["name"], form["release"] = "Intranet", "directory"
    form.fields["audience"][0].checked = True
    made = form.submit()
    page = made.follow()
    link = page.html.find("code").text
    assert link.startswith(two.idp.installation.settings.public_url)
    assert link not in made.headers["Set-Cookie"]
    assert link not in admin.get(made.location).text, "a reload shows it no more, and makes no second one"
    assert len(admin.get("/admin/invitations").html.select("tbody tr")) == 1

    public = two.idp.browser().get(urlsplit(link).path)
    assert two.idp.installation.keys.fingerprint in public.text
    assert link in public.text
    two.begin(link)
    page = admin.get("/admin/invitations").click("Intranet")
    assert two.sp.provider.keys.fingerprint in page.text
    assert "You have confirmed" in press(page, "Yes, the fingerprint is the same").follow().text
    assert two.agree(link)
    page = admin.get("/admin/invitations").click("Intranet")
    assert "Both sides have confirmed." in page.text
    with two.idp.work() as session:
        assert session.query(Connection).one().state is ConnectionState.ACTIVE


def test_other_software_brings_its_metadata_and_watches_the_ticks(two: Two) -> None:
    other = FakeSP("Learning", "http://localhost:6545", key_name="other-sp")
    path = urlsplit(two.invite("Learning")).path
    browser = two.idp.browser()
    page = browser.get(path)
    for told in (two.idp.entity.entity_id, "/saml/sso", "/saml/slo", two.idp.installation.keys.fingerprint):
        assert told in page.text
    assert "data-watch" not in page.text, "nothing changes under a form that somebody fills in"
    assert browser.get(f"{path}/metadata").content_type == "application/samlmetadata+xml"

    form = page.forms[0]
    form["text"] = "<nonsense/>"
    answer = form.submit(expect_errors=True)
    assert (answer.status_int, "Reference" in answer.text) == (400, True)
    form["text"] = ""
    assert form.submit(expect_errors=True).status_int == 400
    form["text"] = other.metadata(two.idp.clock()).decode()
    page = form.submit().follow()
    assert other.fingerprint in page.text
    assert 'data-watch="5"' in page.text
    assert "connect-src 'self'" in page.headers["Content-Security-Policy"]
    assert form.submit(expect_errors=True).status_int == 410
    assert two.confirm("Learning")
    assert "The connection is made" in browser.get(path).text

    alice = two.idp.sign_in("alice")
    alice.get(other.redirect_url(two.idp.clock(), destination=f"{two.idp.installation.settings.public_url}/saml/sso")
              .replace(other.idp_url, ""))  # fmt: skip
    assert "The last one:" in browser.get(path).text


def test_the_administrator_of_the_invited_site_pastes_the_link_and_confirms(two: Two) -> None:
    two.sp.connect(two.sp.idp)  # through which its administrator signs in
    browser = two.sp.browser()
    two.sp.sign_in(browser, attributes=attributes(display_name="Ada Admin"))
    with two.sp.unit_of_work() as session:
        account = session.get_one(Account, browser.get("/whoami").json["account"]["id"])
        administrators.appoint(account, administrator=True, now=two.sp.clock())
    link = two.invite()

    def paste(text_: str) -> TestResponse:
        form = next(form for form in browser.get("/admin/connections").forms.values() if "link" in form.fields)
        form["link"] = text_
        return form.submit(expect_errors=True)

    page = paste(f"{link[:-4]}0000")
    assert (page.status_int, "not signed by the key" in page.text, "Reference" in page.text) == (400, True, True)
    page = paste(link).follow()
    for told in ("Example University", two.idp.installation.keys.fingerprint, two.sp.provider.keys.fingerprint):
        assert told in page.text
    page = press(page, "Yes, trust it").follow()
    assert "You have confirmed" in page.text
    assert "waiting for them" in browser.get("/admin/connections").text
    page = press(page, "Ask now").follow()
    assert "has not confirmed yet" in page.text
    assert two.confirm()
    page = press(page, "Ask now").follow()
    assert two.idp.entity.entity_id in page.text
    assert two.connections() == (1, 2)
    assert set(two.held) == {0}, "no transaction of ours is open while the identity provider is asked"
    details = [row[0] for row in two.sp.rows("select detail from sp_audit where rule = 'invitation' order by id")]
    assert details[0] == "Ada Admin took up the invitation of Example University"
    assert len(details) == 3
