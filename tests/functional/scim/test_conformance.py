"""scim2-tester, an independent judge of SCIM servers, against ours with nobody in it."""

from __future__ import annotations

from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from tests.scim_factories import ScimClient

MEANT = ("PATCH modify() did not remove attribute 'active'",)
"""An account is active or it is not: what does not say so changes nothing, so that nobody is let in by omission."""


def test_it_finds_nothing_wrong(scim: ScimClient) -> None:
    client = WSGISCIMClient(
        scim.site.app,
        base_url="https://intranet.example.org/scim/v2",
        headers={"Authorization": f"Bearer {scim.token}"},
    )
    results = check_server(client)
    wrong = [
        f"{result.title}: {result.reason}"
        for result in results
        if result.status not in (Status.SUCCESS, Status.SKIPPED) and result.reason not in MEANT
    ]
    assert wrong == [], "\n".join(wrong)
    assert len(results) > 50
