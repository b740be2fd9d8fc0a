"""The identity provider, a Pyramid app. Paste's `egg:saml-federation#idp` is `main`."""

from __future__ import annotations

from typing import Any


def main(_global_config: dict[str, str], **raw: str) -> Any:
    """The WSGI application of one `[app:…]` section."""
    # The commands import this package too, and must not wait for the web.
    from idp_app.composition import serve  # noqa: PLC0415

    return serve(raw)
