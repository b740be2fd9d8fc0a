"""The service provider, reusable: `config.include("sp_app")` in any Pyramid application.

What a host may say: `config.set_account_store(factory)` and `config.set_federation_session(factory)`; and, for the
administrator's pages, `config.include("sp_app.console")` and `config.set_federation_administrators(check)`. All else is
a setting (`sp.…`) or a standard of Pyramid: a security policy that asks `request.sp.identity`, `request.tm`, events.
`docs/how-to/embed.md` shows it whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyramid.config import Configurator


def includeme(config: Configurator) -> None:
    """The table of contents of the service provider."""
    # Whatever a host has included already stays as it has it: Pyramid includes a module once.
    config.include("pyramid_tm")
    config.include("federation.web")

    config.include("sp_app.provider")  # settings, keys, addresses: read once, when the application starts
    config.include("sp_app.composition")  # request.sp, and what a host may replace
    config.include("sp_app.administration")  # request.sp.administrator, and who that may be
    config.include("sp_app.demand")  # pages that ask for more than being signed in

    # SAML. Responses and logout messages are posted by other sites; which browser began a login is checked by a cookie
    # of its own. Until somebody switches the federation on, FederationRoot answers 404 for all of them.
    root = "sp_app.context.FederationRoot"
    config.add_federation_route("sp.metadata", "/saml/metadata", factory=root)
    config.add_federation_route("sp.about", "/saml/about", factory=root)
    config.add_federation_route("sp.login", "/saml/login", factory=root, acts=True)
    config.add_federation_route("sp.discovery", "/saml/discovery", factory=root)
    config.add_federation_route("sp.discovered", "/saml/discovered", factory=root, acts=True)
    config.add_federation_route("sp.acs", "/saml/acs", factory=root, cross_site=True, acts=True)
    config.add_federation_route("sp.artifact", "/saml/artifact", factory=root, cross_site=True)
    config.add_federation_route("sp.logout", "/saml/logout", factory=root)
    config.add_federation_route("sp.logout.done", "/saml/logout/done", factory=root)
    config.add_federation_route("sp.form", "/saml/form", factory=root)
    config.add_federation_route("sp.slo", "/saml/slo", factory=root, cross_site=True, acts=True)
    config.add_federation_route("sp.token", "/saml/token", factory=root, cross_site=True, problems="json")
    config.scan("sp_app.views")

    # SCIM 2.0 under /scim/v2: provisioning by the identity provider, with a bearer token: one of ours, or got at
    # /saml/token by a signed assertion.
    config.include("sp_app.scim")
