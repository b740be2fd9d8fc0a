"""`federation explain` runs the sites' own checks on files, and shows each of them."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from federation.cli.main import run
from federation.saml import signature, xml
from federation.saml.algorithms import allowed
from federation.saml.bindings import redirect
from federation.saml.codec import authn_request
from federation.saml.codec import logout as logout_codec
from federation.saml.messages import NameID
from federation.saml.metadata import publishing
from federation.saml.metadata.entity import Contact, Endpoint, Entity
from federation.saml.metadata.publishing import Presentation
from federation.saml.names import Algorithm, Binding
from federation.saml.profiles import logout, sso_request
from tests.factories import (
    ACS_URL,
    IDP,
    NOW,
    REQUEST_ID,
    SP,
    SSO_URL,
    base64_text,
    key_pair,
    request,
    response_xml,
    signing_key,
)

IDP_SLO = "https://idp.example.org/saml/slo"
SP_SLO = "https://sp.example.com/saml/slo"
AT = "2026-03-04T10:00:10Z"


def certificate(name: str) -> bytes:
    held = signing_key(name).certificate
    assert held is not None
    return held


def slo(location: str) -> tuple[Endpoint, ...]:
    return (Endpoint(Binding.REDIRECT, location), Endpoint(Binding.POST, location), Endpoint(Binding.SOAP, location))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    presentation = Presentation(display_name="Site", contacts=(Contact("technical", emails=("t@example.org",)),))
    entities: dict[str, Entity] = {
        "idp": publishing.idp_entity(
            entity_id=IDP,
            presentation=presentation,
            sso_url=SSO_URL,
            signing_certificates=[certificate("idp")],
            scopes=["example.org"],
            single_logout=slo(IDP_SLO),
        ),
        "sp": publishing.sp_entity(
            entity_id=SP,
            presentation=presentation,
            acs_url=ACS_URL,
            signing_certificates=[certificate("sp")],
            encryption_certificates=[signing_key("sp-encryption").certificate or b""],
            requested=[],
            single_logout=slo(SP_SLO),
        ),
    }
    for name, entity in entities.items():
        document = publishing.publish(entity, signing_key=signing_key(name), document_id=f"_{name}", now=NOW)
        (tmp_path / f"{name}.xml").write_bytes(document)
    (tmp_path / "sp.pem").write_bytes(key_pair("sp-encryption")[0])
    return tmp_path


def explain(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    partners = [f"--idp-metadata={folder / 'idp.xml'}", f"--sp-metadata={folder / 'sp.xml'}"]
    now = [] if any(argument.startswith("--now") for argument in arguments) else [f"--now={AT}"]
    code = run(["explain", *arguments, *partners, *now, "--json"])
    out = capsys.readouterr().out
    return code, json.loads(out) if out else {}


def write(folder: Path, octets: bytes | str) -> str:
    (folder / "message").write_bytes(octets if isinstance(octets, bytes) else octets.encode())
    return str(folder / "message")


@pytest.mark.parametrize(
    "spelled",
    [
        lambda document: document,
        lambda document: b"\xef\xbb\xbf" + document,
        base64_text,
        lambda document: base64_text(document).replace("+", "%2B").replace("=", "%3D"),
        lambda document: "SAMLResponse=" + base64_text(document).replace("+", "%2B") + "&RelayState=x",
    ],
)
def test_an_accepted_response_shows_who_and_what_in_whatever_form_it_was_saved(folder, capsys, spelled) -> None:
    file = write(folder, spelled(response_xml()))
    options = [f"--acs={ACS_URL}", f"--request-id={REQUEST_ID}", f"--decryption-key={folder / 'sp.pem'}"]
    code, shown = explain(folder, capsys, "response", file, *options)
    assert (code, shown["accepted"], shown["error"], shown["name_id"]) == (0, True, None, "_f81d")
    assert shown["attributes"]["urn:oid:1.3.6.1.4.1.5923.1.5.1.1"] == ["staff", "library"]
    assert all(set(check) == {"rule", "reference", "expected", "received", "ok"} for check in shown["checks"])
    assert all(check["ok"] for check in shown["checks"])


def test_a_refused_response_names_the_check_and_both_sides(folder, capsys) -> None:
    file = write(folder, response_xml())
    code, shown = explain(
        folder,
        capsys,
        "response",
        file,
        "--acs=https://other.example.com/acs",
        f"--request-id={REQUEST_ID}",
        f"--decryption-key={folder / 'sp.pem'}",
    )
    assert (code, shown["accepted"], shown["attributes"]) == (1, False, {})
    failed = shown["checks"][-1]
    assert (failed["ok"], failed["expected"], failed["received"]) == (False, "https://other.example.com/acs", ACS_URL)
    assert shown["error"]["rule"] == failed["rule"] == "response.destination"


def test_a_preset_of_the_connection_is_judged_by_and_its_weakness_shown(folder, capsys) -> None:
    (folder / "response.xml").write_bytes(response_xml(algorithms=allowed(("legacy-cbc",))))
    shown = ["response", str(folder / "response.xml"), f"--acs={ACS_URL}", f"--request-id={REQUEST_ID}"]
    shown.append(f"--decryption-key={folder / 'sp.pem'}")
    code, result = explain(folder, capsys, *shown)
    assert (code, result["error"]["rule"]) == (1, "encryption.method")
    assert "Weak" not in result["checks"][-1]["received"]
    code, result = explain(folder, capsys, *shown, "--preset=legacy-cbc")
    assert code == 0, result["error"]
    weak = [check for check in result["checks"] if "Weak, allowed by the preset legacy-cbc" in check["received"]]
    assert [check["rule"] for check in weak] == ["encryption.method"]
    code, _ = explain(folder, capsys, *shown, "--preset=legacy-sha1")
    assert code == 1
    partners = [f"--idp-metadata={folder / 'idp.xml'}", f"--sp-metadata={folder / 'sp.xml'}", f"--now={AT}"]
    assert run(["explain", *shown, *partners, "--preset=legacy-cbc"]) == 0
    assert "Weak, allowed by the preset legacy-cbc: AES-CBC may encrypt" in capsys.readouterr().out


def test_a_preset_counts_for_requests_and_logouts_too(folder, capsys) -> None:
    url = redirect.encode(
        xml.serialise(authn_request.write(request())),
        parameter="SAMLRequest",
        destination=SSO_URL,
        key=signing_key("sp"),
        algorithm=Algorithm.RSA_SHA1,
    )
    for more, expected in (([], 1), (["--preset=legacy-sha1"], 0)):
        code, result = explain(folder, capsys, "request", url, "--binding=redirect", *more)
        assert code == expected, result
    asked = logout.build_request(
        id=REQUEST_ID, issuer=SP, destination=IDP_SLO, name_id=NameID("_x"), session_indexes=[], now=NOW
    )
    element = xml.lift(logout_codec.write_request(asked))
    signature.sign(element, key=signing_key("sp"), algorithm=Algorithm.RSA_SHA1)
    (folder / "logout.xml").write_bytes(xml.serialise(element))
    for more, expected in (([], 1), (["--preset=legacy-sha1"], 0)):
        code, result = explain(folder, capsys, "logout", str(folder / "logout.xml"), "--binding=post", *more)
        assert code == expected, result


def test_the_time_is_the_one_given(folder, capsys) -> None:
    file = write(folder, response_xml())
    options = [f"--acs={ACS_URL}", f"--request-id={REQUEST_ID}", f"--decryption-key={folder / 'sp.pem'}"]
    assert explain(folder, capsys, "response", file, *options, "--now=2026-03-04T11:00:00Z")[0] == 1


def test_an_unsolicited_response_needs_leave(folder, capsys) -> None:
    file = write(folder, response_xml(in_response_to=None, encrypt_to=None))
    assert explain(folder, capsys, "response", file, f"--acs={ACS_URL}")[0] == 2
    code, shown = explain(folder, capsys, "response", file, f"--acs={ACS_URL}", "--allow-unsolicited")
    assert (code, shown["accepted"]) == (0, True)


@pytest.mark.parametrize("octets", [b"", b"%%%", b"<x/>", b"<!DOCTYPE x []><x/>", b"SAMLResponse=a&SAMLResponse=b"])
def test_what_cannot_be_read_is_refused_with_a_rule(folder, capsys, octets: bytes) -> None:
    code, shown = explain(folder, capsys, "response", write(folder, octets), f"--acs={ACS_URL}", "--request-id=_x")
    assert (code, shown["accepted"]) == (1, False)
    assert shown["error"]["rule"] == shown["checks"][-1]["rule"]


def test_a_request_is_judged_from_its_address_or_its_file(folder, capsys) -> None:
    url = sso_request.send(request(), binding=Binding.REDIRECT, key=signing_key("sp"))
    assert isinstance(url, str)
    assert explain(folder, capsys, "request", url, "--binding=redirect")[1]["accepted"]
    assert explain(folder, capsys, "request", write(folder, url), "--binding=redirect")[1]["accepted"]
    element = xml.lift(authn_request.write(request()))
    signature.sign(element, key=signing_key("sp"))
    file = write(folder, xml.serialise(element))
    assert explain(folder, capsys, "request", file, "--binding=post")[1]["accepted"]
    code, shown = explain(folder, capsys, "request", url.replace("SigAlg", "SigAlgo"), "--binding=redirect")
    assert (code, shown["error"]["rule"]) == (1, "redirect.signature")


@pytest.mark.parametrize("binding", [Binding.POST, Binding.ARTIFACT])
def test_a_request_may_ask_for_any_answer_that_the_identity_provider_gives(folder, capsys, binding: str) -> None:
    url = sso_request.send(request(protocol_binding=binding), binding=Binding.REDIRECT, key=signing_key("sp"))
    assert isinstance(url, str)
    metadata = (folder / "sp.xml").read_text()
    (folder / "sp.xml").write_text(metadata.replace(f'Binding="{Binding.POST}"', f'Binding="{binding}"'))
    assert explain(folder, capsys, "request", url, "--binding=redirect")[0] == 0


def test_a_logout_is_judged_by_the_side_that_receives_it(folder, capsys) -> None:
    values = {"name_id": NameID("_f81d"), "session_indexes": ["_session"], "now": NOW}
    asked = logout.build_request(id="_l1", issuer=SP, destination=IDP_SLO, **values)
    url = logout.send(asked, binding=Binding.REDIRECT, key=signing_key("sp"))
    assert isinstance(url, str)
    code, shown = explain(folder, capsys, "logout", url, "--binding=redirect")
    assert (code, shown["name_id"]) == (0, "_f81d")
    asked = logout.build_request(id="_l2", issuer=IDP, destination=SP_SLO, **values)
    file = write(folder, logout.envelope(asked, key=signing_key("idp")))
    assert explain(folder, capsys, "logout", file, "--binding=soap")[0] == 0
    answer = logout.build_response(
        id="_a1", issuer=IDP, destination=SP_SLO, in_response_to="_l1", status=logout.SUCCESS, now=NOW
    )
    url = logout.send(answer, binding=Binding.REDIRECT, key=signing_key("idp"))
    assert isinstance(url, str)
    assert explain(folder, capsys, "logout", url, "--binding=redirect", "--request-id=_l1")[0] == 0
    code, shown = explain(folder, capsys, "logout", url, "--binding=redirect", "--request-id=_other")
    assert (code, shown["error"]["rule"]) == (1, "logout.in_response_to")


@pytest.mark.parametrize(
    "arguments",
    [
        ["response", "MESSAGE", "--acs=x"],
        ["response", "MESSAGE", "--acs=x", "--request-id=_1", "--now=yesterday"],
        ["response", "MESSAGE", "--acs=x", "--request-id=_1", "--decryption-key=MESSAGE"],
        ["response", "no-such-file", "--acs=x", "--request-id=_1"],
        ["request", "no-such-file", "--binding=post"],
        ["request", "MESSAGE", "--binding=paos"],
        ["request", "MESSAGE", "--binding=post", "--now=0001-01-01T00:00:00Z"],
        ["request", "MESSAGE", "--binding=post", "--now=9999-12-31T23:59:59Z"],
        ["request", "MESSAGE", "--binding=post", "--preset=legacy"],
    ],
)
def test_misuse_exits_with_2_and_prints_nothing(folder, capsys, arguments: list[str]) -> None:
    file = write(folder, b"<x/>")
    assert explain(folder, capsys, *[argument.replace("MESSAGE", file) for argument in arguments]) == (2, {})


def test_without_json_each_check_is_a_line_and_the_verdict_the_last(folder, capsys) -> None:
    file = write(folder, response_xml(now=NOW - timedelta(days=1)))
    partners = [f"--idp-metadata={folder / 'idp.xml'}", f"--sp-metadata={folder / 'sp.xml'}"]
    assert run(["explain", "response", file, *partners, f"--acs={ACS_URL}", "--request-id=x", f"--now={AT}"]) == 1
    out = capsys.readouterr().out
    assert "REFUSED  " in out
    assert out.splitlines()[-1].startswith("Refused: ")


def test_a_redirect_query_alone_will_do(folder, capsys) -> None:
    element = xml.lift(authn_request.write(request()))
    url = redirect.encode(xml.serialise(element), parameter="SAMLRequest", destination=SSO_URL, key=signing_key("sp"))
    assert explain(folder, capsys, "request", url.partition("?")[2], "--binding=redirect")[0] == 0


def test_a_message_by_itself_is_judged_without_the_envelope_or_query_that_carried_it(folder, capsys) -> None:
    file = write(folder, xml.serialise(authn_request.write(request())))
    code, shown = explain(folder, capsys, "request", file, "--binding=redirect")
    assert (code, shown["error"]["rule"]) == (1, "request.signed")
    asked = logout.build_request(
        id="_l3", issuer=SP, destination=IDP_SLO, name_id=NameID("_f81d"), session_indexes=[], now=NOW
    )
    url = logout.send(asked, binding=Binding.POST, key=signing_key("sp"))
    posted = dict(url.fields)["SAMLRequest"]  # type: ignore[union-attr]
    assert explain(folder, capsys, "logout", write(folder, posted), "--binding=soap")[0] == 0


def test_a_binding_that_the_profile_does_not_have_is_refused_and_no_misuse(folder, capsys) -> None:
    file = write(folder, xml.serialise(authn_request.write(request())))
    code, shown = explain(folder, capsys, "request", file, "--binding=soap")
    assert (code, shown["error"]["rule"]) == (1, "request.binding")
    assert set(shown) == {"accepted", "name_id", "attributes", "error", "checks"}
    assert set(shown["error"]) == {"rule", "message"}
    assert all(set(check) == {"rule", "reference", "expected", "received", "ok"} for check in shown["checks"])


def test_what_a_message_says_moves_nobody_s_terminal(folder, capsys) -> None:
    url = sso_request.send(request(), binding=Binding.REDIRECT, key=signing_key("sp"))
    assert isinstance(url, str)
    hostile = url.partition("&SigAlg=")[0] + "&SigAlg=%1b%5d0%3bowned%07%0aok&Signature=AAAA"
    metadata = ["--idp-metadata", str(folder / "idp.xml"), "--sp-metadata", str(folder / "sp.xml")]
    assert run(["explain", "request", hostile, "--binding=redirect", *metadata, "--now", AT]) == 1
    text = capsys.readouterr().out
    assert "received  \\x1b]0;owned\\x07\\nok" in text
    assert all(character.isprintable() or character == "\n" for character in text)
