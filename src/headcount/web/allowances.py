"""The routes of allowances: what owners and their users may use, and have used."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field

from headcount.adapters.keys import Scope
from headcount.core.allowances import EVERYONE, Allowance, allowance_document
from headcount.web.answers import answers, json_answer
from headcount.web.asks import Ask, Words
from headcount.web.problems import Problem, invalid
from headcount.web.site import Caller, Here, Reader, Writer

routes = APIRouter(prefix="/api/allowances", tags=["Allowances"])
_Limit = Annotated[int, Field(ge=0, le=10**12)] | None


class AllowanceAsk(Ask):
    """What a holder may use; both limits are set, and one left out is lifted."""

    owner: Words | None = Field(
        None,
        description="Whose it is, * for all owners together; else the key's own owner.",
        examples=["acme"],
    )
    end_user: Words | None = Field(
        None,
        description="A user of the owner's, as jobs name them; else the whole owner.",
        examples=["ada"],
    )
    credits_per_day: _Limit = Field(
        None, description="Credits that may be spent in a day, in UTC."
    )
    creators_per_month: _Limit = Field(
        None, description="Creators that may be delivered in a month, in UTC."
    )

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"endUser": "ada", "creatorsPerMonth": 1000}]}
    )


@routes.get("", responses=answers("allowancePage"))
async def list_allowances(site: Here, caller: Reader) -> Response:
    """List the allowances of the owner and their users, with what was used."""
    now = site.app.clock.now()
    found = await site.app.store.allowances.all(now, owner=caller.sees)
    return json_answer({"allowances": [allowance_document(one) for one in found]})


@routes.put("", responses=answers("allowance", 400, 413))
async def set_allowance(ask: AllowanceAsk, site: Here, caller: Writer) -> Response:
    """Set what a holder may use; what they used already is counted.

    An owner sets those of their own users, a key of scope admin those of all owners.
    """
    owner = ask.owner or caller.owner
    _may_set(caller, owner, ask.end_user)
    if owner == EVERYONE and ask.end_user:
        raise invalid("endUser", "expected none for all owners together")
    wanted = Allowance(
        owner,
        ask.end_user or "",
        credits_per_day=ask.credits_per_day,
        creators_per_month=ask.creators_per_month,
    )
    return json_answer(allowance_document(await site.app.allow(wanted)))


def _may_set(caller: Caller, owner: str, end_user: str | None) -> None:
    """See that the caller may set this allowance."""
    theirs = owner == caller.owner and end_user is not None
    if caller.scope is not Scope.ADMIN and not theirs:
        raise Problem(
            403, "the allowance of an owner takes a key of scope admin to be set"
        )
