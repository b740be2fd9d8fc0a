from __future__ import annotations

from urllib.parse import quote

import pytest
from pyramid.request import Request
from pyramid.response import Response
from webtest import TestApp

from federation.saml.bindings import artifact, post
from federation.saml.bindings import redirect as redirect_binding
from federation.saml.names import Binding
from federation.web import saml
from tests.web_factories import host, site, view

XML = b"<samlp:AuthnRequest/>"
ACS = "https://intranet.example.org/saml/acs"


def receiving(request: Request) -> Response:
    received = saml.receive(request)
    return Response(json_body=[received.binding, received.xml.decode(), received.relay_state])


def referring(request: Request) -> Response:
    found = saml.receive_artifact(request)
    return Response(json_body=found and [found[0].text, found[1]])


def sending(request: Request) -> Response:
    action = request.params.get("action", ACS)
    form = post.encode(XML, parameter="SAMLResponse", destination=action, relay_state='"><script>')
    return saml.post_form_response(request, form, "Signing you in", recipient=request.params.get("recipient"))


app = site(
    view("sso", receiving, cross_site=True),
    view("artifact", referring, cross_site=True),
    view("send", sending),
    view("leave", lambda request: saml.redirect("https://idp.example.org/saml/sso?a=b")),
)


def test_a_message_is_read_from_the_raw_query() -> None:
    url = redirect_binding.encode(XML, parameter="SAMLRequest", destination="http://localhost/sso", relay_state="a b+c")
    assert app.get(url).json == [Binding.REDIRECT, XML.decode(), "a b+c"]


def test_a_message_is_read_from_a_form() -> None:
    form = post.encode(XML, parameter="SAMLRequest", destination="http://localhost/sso", relay_state="r")
    assert app.post("/sso", dict(form.fields)).json == [Binding.POST, XML.decode(), "r"]


@pytest.mark.parametrize(
    "query", ["", "SAMLRequest=", "SAMLRequest=%ff", "SAMLRequest=a&SAMLRequest=b", "SAMLRequest=!!!"]
)
def test_a_message_that_cannot_be_read_is_a_bad_request(query: str) -> None:
    app.get(f"/sso?{query}", status=400)


@pytest.mark.parametrize("name", ["SAMLart", "SAML%61rt"])
def test_an_artifact_beside_a_message_leaves_open_which_counts(name: str) -> None:
    url = redirect_binding.encode(XML, parameter="SAMLRequest", destination="http://localhost/sso")
    app.get(f"{url}&{name}=AAQ", status=400)
    app.post("/sso", {"SAMLRequest": "PGEvPg==", "SAMLart": "AAQ"}, status=400)


@pytest.mark.parametrize("query", ["SAMLart={}&RelayState=r", "RelayState=r&SAML%61rt={}"])
def test_an_artifact_is_read_whichever_way_it_is_written(query: str) -> None:
    made = artifact.create("https://idp.example.org", endpoint_index=0)
    assert app.get("/artifact?" + query.format(quote(made.text))).json == [made.text, "r"]
    assert app.post("/artifact", {"SAMLart": made.text, "RelayState": "r"}).json == [made.text, "r"]


def test_no_artifact_is_made_of_what_only_looks_like_one() -> None:
    assert app.get("/artifact?xSAMLart=a&b=SAMLart&SAMLart%26=c").json is None


def test_a_message_does_not_come_as_a_file() -> None:
    app.post("/sso", upload_files=[("SAMLRequest", "message.xml", XML)], status=400)


def test_a_message_is_posted_on_by_a_form_that_works_without_scripts() -> None:
    response = app.get("/send")
    form = response.html.find("form")
    assert (form["action"], form["method"]) == (ACS, "post")
    assert form.find("input", attrs={"name": "RelayState"})["value"] == '"><script>'
    assert form.find("button").text.strip() == "Continue"
    assert response.html.find("script")["nonce"] in response.headers["Content-Security-Policy"]
    assert "Taking you to intranet.example.org." in response


def test_the_page_calls_the_partner_by_its_name() -> None:
    assert "Taking you to Intranet." in app.get("/send?recipient=Intranet")


def test_the_page_differs_in_nothing_but_its_values() -> None:
    guest = host(view("send", sending))

    def shown(app: TestApp, path: str, recipient: str) -> str:
        response = app.get(path, {"recipient": recipient})
        nonce = response.html.find("script")["nonce"]
        return str(response.text).replace(nonce, "NONCE").replace("Guest", "Example University")

    for recipient in ("Intranet", "<b>'&'</b>"):
        rendered = shown(guest, "/federation/send", recipient).replace(
            "/federation/federation-static", "/federation-static"
        )
        assert shown(app, "/send", recipient) == rendered


def test_the_partner_may_send_the_browser_on_over_https_and_over_nothing_else() -> None:
    policy = app.get("/send").headers["Content-Security-Policy"]
    assert "form-action 'self' https:;" in policy


def test_on_loopback_the_browser_may_be_sent_on_to_loopback() -> None:
    policy = app.get("/send?action=http://localhost:6544/saml/acs").headers["Content-Security-Policy"]
    assert "form-action 'self' http://localhost:6544 http://localhost:* http://127.0.0.1:*;" in policy


def test_the_partner_learns_who_posts() -> None:
    assert app.get("/send").headers["Referrer-Policy"] == "strict-origin"


def test_a_redirect_is_followed_by_get() -> None:
    response = app.get("/leave", status=303)
    assert response.location == "https://idp.example.org/saml/sso?a=b"
