"""What an invitation's page ticks off: each thing because it has really happened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from idp_app.models import Connection
from idp_app.services import invitations
from tests.idp_factories import FakeSP
from tests.pair import Browser
from tests.strangers import Two, strangers

UNTOUCHED = {
    "Metadata valid": "to do",
    "Both sides have confirmed": "to do",
    "Test sign-in": "to do",
    "Attributes complete": "to do",
    "Logout": "to do",
    "Provisioning": "not needed",
}


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with strangers(tmp_path, required_attributes="department") as both:
        yield both


def ticks(two: Two, link: str) -> dict[str, str]:
    """What the invited side's page says, which has to be what the administrator's says."""
    page = two.idp.browser().get(urlsplit(link).path).html
    told = {row.th.contents[0].strip(): row.select_one(".badge").text for row in page.select("tbody tr")}
    with two.idp.work() as session:
        own = invitations.find(session, "Intranet").id
    theirs = two.idp.sign_in("admin").get(f"/admin/invitations/{own}").html
    assert told == {row.th.contents[0].strip(): row.select_one(".badge").text for row in theirs.select("tbody tr")}
    return told


def test_each_tick_comes_from_what_really_happened(two: Two) -> None:
    link = two.invite()
    assert ticks(two, link) == UNTOUCHED
    two.begin(link)
    expected = UNTOUCHED | {"Metadata valid": "done"}
    assert ticks(two, link) == expected
    two.confirm()
    assert two.agree(link)
    expected |= {"Both sides have confirmed": "done", "Provisioning": "to do"}
    assert ticks(two, link) == expected

    with two.idp.work() as session:
        session.merge(two.idp.person("alice")).department = ""
    browser = Browser(two)
    browser.sign_in("alice")
    browser.follow(browser.at_sp.get("/private"))
    expected |= {"Test sign-in": "done"}
    assert ticks(two, link) == expected, "the site requires what Alice does not have"
    with two.idp.work() as session:
        session.merge(two.idp.person("alice")).department = "Law"
    page = browser.follow(browser.at_sp.get("/private"))
    assert "Alice Archer" in page.text
    expected |= {"Attributes complete": "done"}
    assert ticks(two, link) == expected

    leave = next(form for form in page.forms.values() if form.action.endswith("/saml/logout"))
    browser.follow(leave.submit())
    expected |= {"Logout": "done"}
    assert ticks(two, link) == expected
    assert two.provision().stopped is None
    expected |= {"Provisioning": "done"}
    assert ticks(two, link) == expected

    with two.idp.work() as session:
        session.query(Connection).one().valid_until = two.idp.clock()
    expected |= {"Metadata valid": "to do"}
    assert ticks(two, link) == expected


def test_what_was_brought_and_expires_before_both_have_confirmed_is_not_ticked(two: Two) -> None:
    other = FakeSP("Learning", "http://localhost:6545", key_name="other-sp")
    link = two.invite()
    with two.idp.work() as session:
        document = other.metadata(two.idp.clock(), validity=timedelta(days=2))
        found = invitations.find(session, "Intranet")
        invitations.upload(session, found, document, two.idp.act(), two.idp.installation)
    assert ticks(two, link) == UNTOUCHED | {"Metadata valid": "done"}
    two.idp.clock.advance(days=2)
    assert ticks(two, link) == UNTOUCHED
