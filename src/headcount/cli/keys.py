"""`headcount keys`: who may use the service."""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from headcount.cli import options as opt
from headcount.cli.exits import Exit, finish, print_data, told

if TYPE_CHECKING:
    from headcount.adapters.keys import ApiKey, Keys

T = TypeVar("T")
keys = typer.Typer(
    name="keys", help="Make and revoke keys of the service.", no_args_is_help=True
)
_HEADINGS = ("id", "owner", "scope", "createdAt", "revokedAt")


@keys.command()
@told
def create(
    *,
    owner: Annotated[str, typer.Option(help="Whose jobs it is for.")],
    scope: Annotated[
        Literal["metrics", "read", "write", "admin"],
        typer.Option(help="What it allows; admin sees the jobs of all owners."),
    ] = "write",
) -> int:
    """Make a key and print it, this once: only a digest of it is kept."""
    from headcount.adapters.keys import Scope

    made = _with_keys(lambda known: known.create(owner, Scope(scope)))
    key, token = finish(made)
    print_data(token)
    typer.echo(
        f"Key {key.id} of {key.owner}, scope {key.scope}. It is not shown again; "
        f"to take it back: headcount keys revoke {key.id}",
        err=True,
    )
    return Exit.EXACT


@keys.command("list")
@told
def list_(format_: opt.ListingOption = opt.Listing.TABLE) -> int:
    """List the keys, revoked ones too; the keys themselves are not kept."""
    found = [_document(key) for key in finish(_with_keys(lambda known: known.all()))]
    if format_ is opt.Listing.JSON:
        print_data(json.dumps(found, ensure_ascii=False, indent=2))
        return Exit.EXACT
    if not found:
        print_data("No keys yet: headcount keys create --owner NAME")
    else:
        print_data(_line(_HEADINGS))
    for row in found:
        print_data(_line(str(row[name] or "") for name in _HEADINGS))
    return Exit.EXACT


@keys.command()
@told
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key, as listed.")],
) -> int:
    """Refuse a key from now on."""
    key = finish(_with_keys(lambda known: known.revoke(key_id)))
    typer.echo(f"Key {key.id} of {key.owner} is revoked.", err=True)
    return Exit.EXACT


async def _with_keys(work: "Callable[[Keys], Awaitable[T]]") -> T:
    """What is to be done with the keys of the store."""
    from headcount.adapters.keys import Keys
    from headcount.bootstrap import open_app
    from headcount.settings import load_settings

    async with open_app(load_settings()) as app:
        return await work(Keys(app.store.database, now=app.clock.now))


def _document(key: "ApiKey") -> dict[str, object]:
    from headcount.core.report import moment

    return {
        "id": key.id,
        "owner": key.owner,
        "scope": key.scope.value,
        "createdAt": moment(key.created_at),
        "revokedAt": moment(key.revoked_at),
    }


def _line(cells: Iterable[str]) -> str:
    """A line of the list: the owner's name has room, and the times come last."""
    key_id, owner, scope, *times = cells
    return f"{key_id:<10}{scope:<8}{owner:<24}{'  '.join(times)}".rstrip()
