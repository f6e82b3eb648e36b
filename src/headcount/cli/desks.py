"""Which desk a command turns to, and what can only be asked of the one here."""

from contextlib import AbstractAsyncContextManager

from headcount.cli.desk import Desk
from headcount.core.errors import InvalidSetting
from headcount.settings import Settings


def open_desk(settings: Settings) -> AbstractAsyncContextManager[Desk]:
    """The desk that the settings name: that of a server, or the one here.

    Raises:
        HeadcountError: the store or the server cannot be used.
    """
    if settings.server is None:
        from headcount.cli.here import open_here

        return open_here(settings)
    from headcount.cli.afar import open_afar

    return open_afar(settings)


def only_here(settings: Settings, **given: object) -> None:
    """Refuse options that mean nothing to a server, where one is to be asked.

    Raises:
        InvalidSetting: naming the first of them.
    """
    for name, value in given.items():
        if settings.server and value not in (None, False):
            flag = f"--{name.replace('_', '-')}"
            raise InvalidSetting(
                f"{flag} is for this machine only, and {settings.server} is asked: "
                f'leave it out, or work here with --server ""'
            )
