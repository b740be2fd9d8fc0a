"""The identity provider, a Pyramid app. Paste's `egg:saml-federation#idp` is `main`."""

from __future__ import annotations

from typing import Any


def main(global_config: dict[str, str], **raw: str) -> Any:
    """The WSGI application of one `[app:…]` section."""
    from idp_app.composition import serve  # noqa: PLC0415 (commands import this package and must not wait for the web)

    return serve({"here": global_config.get("here", "."), **raw})
