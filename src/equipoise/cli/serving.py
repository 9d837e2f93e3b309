"""Commands that serve a trial to people: serve, invite, cast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.console import clear_errors, fail, say
from equipoise.store.names import VAULT_FILE

if TYPE_CHECKING:
    from equipoise.web.clinic import Clinic

_PORT = 8000
_PASSWORD = "equipoise-rehearsal"
_NAMED = 3
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

FolderArgument = Annotated[Path, typer.Argument(metavar="TRIAL", help="The folder of a trial.")]


def serve(
    trial: FolderArgument,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen at.")] = _PORT,
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many processes serve.")] = 2,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="A host name that browsers ask for; may be repeated.")
    ] = None,
    https: Annotated[
        bool, typer.Option("--https", help="A proxy in front ends TLS and sets X-Forwarded-Proto and -For.")
    ] = False,
) -> None:
    """Serve a trial to its people, in their browsers."""
    from equipoise.web.serve import ServePlan, set_up
    from equipoise.web.serve import serve as serve_clinic

    with clear_errors():
        if host not in _LOOPBACK and not https:
            fail(
                "SERVE-PLAIN",
                "Beyond this machine a clinic is served over HTTPS only. Put a proxy that ends TLS in front,"
                " and say so with --https.",
            )
        plan = ServePlan(
            folder=_folder_of(trial),
            host=host,
            port=port,
            workers=workers,
            names=tuple(name or ()),
            https=https,
        )
        set_up(plan)
        serve_clinic(
            plan, lambda: say(f"\nOpen {address(plan.names, port, https=https)} and press Ctrl-C to end.")
        )


def invite(
    trial: FolderArgument,
    account: Annotated[str, typer.Argument(help="The account's name, as the ledger has it.")],
    printed_name: Annotated[
        str, typer.Option("--printed-name", help="The person's whole name, for a new account.")
    ] = "",
    base: Annotated[
        str, typer.Option("--base", help="Where the clinic is served.")
    ] = f"http://localhost:{_PORT}",
) -> None:
    """Make an account where there is none, and print the link with which its owner sets a password, once."""
    with clear_errors(), _clinic_of(trial) as clinic:
        from equipoise.access.refusal import Refusal, Refused
        from equipoise.web.accounts.models import Account
        from equipoise.web.accounts.people import INVITATION_HOURS, make_account
        from equipoise.web.accounts.people import invite as invite_account

        found = Account.objects.filter(username=account).first()
        by, now = "command line", clinic.now()
        made = found or make_account(None, account, printed_name.strip(), "", by=by, now=now)
        if isinstance(made, Refusal):
            raise Refused(made)
        secret = invite_account(None, made, by=by, now=now)
        say(f"account   {account}, {made.printed_name}")
        say(f"link      {base.rstrip('/')}/welcome/{secret}/")
        say(f"holds     {INVITATION_HOURS} hours, once")


def cast(
    trial: FolderArgument,
    password: Annotated[str, typer.Option(help="The password of everybody.")] = _PASSWORD,
) -> None:
    """Give everybody in a rehearsed trial an account, all with one password, and say who they are."""
    with clear_errors(), _clinic_of(trial) as clinic:
        from equipoise.web.accounts.cast import make_cast

        held = make_cast(clinic, password)
        names = {role.id: role.name for role in clinic.definition.study.roles}
        say(f"\nThe cast. The password of everybody is: {password}", style="bold")
        for role, name in names.items():
            accounts = [row.account for row in held if row.role == role]
            more = f" and at {len(accounts) - _NAMED} more sites" if len(accounts) > _NAMED else ""
            say(f"  {name:<36}{', '.join(accounts[:_NAMED])}{more}")


@contextmanager
def _clinic_of(trial: Path) -> Iterator[Clinic]:
    """Open the clinic of a trial for a command, made where there is none."""
    from equipoise.web.serve import ServePlan, set_up

    folder = _folder_of(trial)
    set_up(ServePlan(folder=folder, host="localhost", port=_PORT, workers=1))
    # Django must be set up before this is imported.
    from equipoise.web.clinic import opened_clinic, prepare_clinic

    prepare_clinic(folder)
    with opened_clinic(folder) as clinic:
        yield clinic


def _folder_of(trial: Path) -> Path:
    """Return the folder of a trial; what is none gets no key."""
    from equipoise.store.place import folder_of

    folder = folder_of(trial)
    if not (folder / VAULT_FILE).is_file():
        fail("SERVE-FOLDER", f"{trial} is not the folder of a trial. Make one: equipoise open.")
    return folder


def address(names: tuple[str, ...], port: int, *, https: bool) -> str:
    """Return where a browser finds the clinic."""
    if https:
        return f"https://{names[0]}/" if names else "it where your proxy serves it"
    return f"http://localhost:{port}/"
