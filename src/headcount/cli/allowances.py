"""`headcount allowances`: what owners and their users may use, and have used."""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from headcount.cli import options as opt
from headcount.cli.exits import Exit, finish, print_data, told

if TYPE_CHECKING:
    from headcount.app import App
    from headcount.core.allowances import Allowance

T = TypeVar("T")
allowances = typer.Typer(
    name="allowances",
    help="Say what owners may spend in a day and be delivered in a month.",
    no_args_is_help=True,
)
OwnerOption = Annotated[
    str, typer.Option(help="Whose it is; * is all owners together.")
]
EndUserOption = Annotated[
    str, typer.Option(help="A user of the owner's; else the owner as a whole.")
]


@allowances.command("list")
@told
def list_(format_: opt.ListingOption = opt.Listing.TABLE) -> int:
    """List what holders may use, and what they have used today and this month."""
    from headcount.core.allowances import allowance_document

    async def look(app: "App") -> "list[Allowance]":
        return await app.store.allowances.all(app.clock.now())

    found = finish(_with_app(look))
    if format_ is opt.Listing.JSON:
        documents = [allowance_document(one) for one in found]
        print_data(json.dumps(documents, ensure_ascii=False, indent=2))
    elif not found:
        typer.echo("No allowances: everybody may use what they like.", err=True)
    else:
        print_data("\n".join(_line(one) for one in found))
    return Exit.EXACT


@allowances.command("set")
@told
def set_(
    *,
    owner: OwnerOption,
    end_user: EndUserOption = "",
    credits_per_day: Annotated[
        int | None,
        typer.Option(min=0, help="Credits that may be spent in a day, in UTC."),
    ] = None,
    creators_per_month: Annotated[
        int | None,
        typer.Option(min=0, help="Creators that may be delivered in a month, in UTC."),
    ] = None,
) -> int:
    """Set what a holder may use; a limit that is not given is lifted."""
    from headcount.core.allowances import Allowance

    wanted = Allowance(
        owner,
        end_user,
        credits_per_day=credits_per_day,
        creators_per_month=creators_per_month,
    )
    done = finish(_with_app(lambda app: app.allow(wanted)))
    typer.echo(_line(done), err=True)
    return Exit.EXACT


@allowances.command()
@told
def remove(*, owner: OwnerOption, end_user: EndUserOption = "") -> int:
    """Let a holder use what they like; jobs that waited for more go on."""
    from headcount.core.allowances import Allowance

    free = Allowance(owner, end_user)
    finish(_with_app(lambda app: app.allow(free)))
    typer.echo(_line(free), err=True)
    return Exit.EXACT


async def _with_app(act: "Callable[[App], Awaitable[T]]") -> T:
    from headcount.bootstrap import open_app
    from headcount.settings import load_settings

    async with open_app(load_settings()) as app:
        return await act(app)


def _line(allowance: "Allowance") -> str:
    """A holder, and of each limit how much of it is used."""
    day = _share(allowance.credits_used, allowance.credits_per_day, "credits today")
    month = _share(
        allowance.creators_used, allowance.creators_per_month, "creators this month"
    )
    limits = ", ".join(part for part in (day, month) if part)
    return f"{allowance.holder}: {limits or 'no limit'}"


def _share(used: int, most: int | None, of_what: str) -> str:
    return "" if most is None else f"{used:,} of {most:,} {of_what}"
