"""The console's pages: sources and their health, the review queue, every version and the way back."""

from __future__ import annotations

from dataclasses import replace

from federation.registry.widening import Rule
from tests.functional.registry.test_federation import LIBRARY, desk, documents, source_of
from tests.functional.registry.test_federation import add as add_federation
from tests.functional.registry.test_partner import ELSEWHERE, INTRANET, bring, follow, history, with_keys
from tests.idp_factories import NOW, IdPSite
from tests.registry_factories import Server, aggregate, refresh


def test_a_review_is_read_in_words_and_accepted(idp: IdPSite, server: Server):
    source = follow(idp, server, rule=Rule.REVIEW)
    sp = replace(INTRANET, idp_url=idp.installation.settings.public_url)
    assert idp.sign_in("alice").get(sp.redirect_url(idp.clock())).status_int == 200
    bring(idp, server, source, with_keys("sp", "sp-next").metadata(NOW))
    browser = idp.sign_in("admin")
    (row,) = browser.get("/admin/connections").html.select("tbody tr")
    assert [each.text for each in row.select(".badge")] == ["active", "review waits"]
    queue = browser.get("/admin/reviews")
    assert "Intranet, version 2" in queue
    review = queue.click("Intranet, version 2")
    assert "has the new key" in review
    assert "1 person in the last 30 days" in review
    assert "metadata.contact.missing" in review
    form = next(form for form in review.forms.values() if "at" in form.fields)
    form["at"] = "2020-01-01T00:00"
    assert "passed already" in form.submit("action", expect_errors=True)
    accept = next(form for form in review.forms.values() if form.text.count("Accept now"))
    assert "The version is live." in accept.submit("action", value="accept").follow()
    assert history(idp)[0] == (2, "live")
    assert "Nothing waits" in browser.get("/admin/reviews")
    assert "review waits" not in browser.get("/admin/connections")
    versions = browser.get("/admin/connections").click("Intranet").click("Every version of its metadata")
    back = next(form for form in versions.forms.values() if "Roll back" in form.text)
    assert "The version is live again." in back.submit("action", value="roll-back").follow()
    assert history(idp) == [(2, "rejected"), (1, "live")]


def test_a_version_is_rejected_or_scheduled(idp: IdPSite, server: Server):
    source = follow(idp, server)
    away = replace(INTRANET, options={"single_logout": (ELSEWHERE,)})
    bring(idp, server, source, away.metadata(NOW))
    browser = idp.sign_in("admin")
    review = browser.get("/admin/reviews").click("Intranet, version 2")
    form = next(form for form in review.forms.values() if "at" in form.fields)
    form["at"] = "2026-03-10T12:00"
    assert "becomes live at that time" in form.submit("action", value="schedule").follow()
    review = browser.get("/admin/reviews").click("Intranet, version 2")
    form = next(form for form in review.forms.values() if "why" in form.fields)
    form["why"] = "<b>not ours</b>"
    done = form.submit("action", value="reject").follow()
    assert "rejected" in done
    assert "&lt;b&gt;not ours" in done
    assert history(idp)[0] == (2, "rejected")


def test_sources_show_their_health_and_can_be_asked_soon(idp: IdPSite, server: Server):
    empty = idp.sign_in("admin").get("/admin/sources")
    assert "No sources yet" in empty
    source = add_federation(idp, server.put("/all.xml", aggregate(documents(LIBRARY), NOW)))
    refresh(desk(idp).refresher(), source)
    server.fail("/all.xml")
    idp.clock.advance(hours=1)
    refresh(desk(idp).refresher(), source)
    browser = idp.sign_in("admin")
    page = browser.get("/admin/sources", {"q": "libr"})
    assert "late" in page
    assert "the answer has the status 503" in page
    assert LIBRARY.entity_id in page
    page = page.click("Example Federation", index=0)
    form = next(form for form in page.forms.values() if "Refresh" in form.text)
    assert "within moments" in form.submit("action", value="refresh").follow()
    assert source_of(idp, source).due == idp.clock()
    assert "left out" in form.submit("action", value="pause").follow()
    assert not source_of(idp, source).enabled


def test_only_an_administrator_sees_them(idp: IdPSite, server: Server):
    follow(idp, server)
    browser = idp.sign_in("alice")
    for path in ("/admin/sources", "/admin/reviews", "/admin/reviews/1", "/admin/connections/x/versions"):
        assert browser.get(path, expect_errors=True).status_int == 403
    admin = idp.sign_in("admin")
    for path in ("/admin/reviews/99", "/admin/reviews/x", "/admin/connections/x/versions"):
        assert admin.get(path, expect_errors=True).status_int in (400, 404)
