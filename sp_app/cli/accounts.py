"""Accounts of this site, and who administers it."""

from __future__ import annotations

from typing import Any

import click

from federation.cli.configuration import ConfigFile
from federation.cli.output import as_json, table
from sp_app.cli.site import now, unit_of_work


@click.command
@click.option("--json", "json", is_flag=True, help="As one JSON document.")
@click.pass_obj
def accounts(config: ConfigFile, json: bool) -> None:
    """List the accounts that this site keeps itself, with what links them."""
    from sp_app.services.directory import accounts_with_links

    with unit_of_work(config) as session:
        found: list[dict[str, Any]] = [
            {
                "id": account.id,
                "username": account.username,
                "display_name": account.display_name,
                "mail": account.mail,
                "active": account.active,
                "administrator": account.administrator,
                "links": [{"idp": link.idp_entity_id, "identifier": link.identifier} for link in links],
            }
            for account, links in accounts_with_links(session)
        ]
    if json:
        as_json(found)
        return
    table(
        ["Id", "User name", "Display name", "State", "Linked by"],
        [
            [
                each["id"],
                each["username"] or "-",
                each["display_name"] or "-",
                ("active" if each["active"] else "inactive") + (", administrator" if each["administrator"] else ""),
                ", ".join(link["identifier"] for link in each["links"]) or "-",
            ]
            for each in found
        ],
    )


@click.command
@click.argument("account")
@click.pass_obj
def make_administrator(config: ConfigFile, account: str) -> None:
    """Let an account administer this site. ACCOUNT is its id, user name, mail address or pairwise identifier."""
    _appoint(config, account, administrator=True)


@click.command
@click.argument("account")
@click.pass_obj
def remove_administrator(config: ConfigFile, account: str) -> None:
    """Let an account no longer administer this site."""
    _appoint(config, account, administrator=False)


def _appoint(config: ConfigFile, selector: str, *, administrator: bool) -> None:
    from sp_app.services import administrators

    with unit_of_work(config) as session:
        account = administrators.find(session, selector)
        administrators.appoint(account, administrator=administrator, now=now())
        name = account.display_name or account.username or account.id
    click.echo(f"{name} {'is an administrator now' if administrator else 'is no administrator any more'}.")
