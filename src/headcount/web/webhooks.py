"""The routes of webhooks: the secret that tells their messages from forged ones."""

import json
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field

from headcount.adapters.requests import Kept
from headcount.core.destinations import LONGEST_URL, check_webhook_url
from headcount.web.answers import answers
from headcount.web.asks import Ask
from headcount.web.once import ByKey
from headcount.web.site import Here, Writer

routes = APIRouter(prefix="/api/webhooks", tags=["Webhooks"])


class SecretAsk(Ask):
    """An endpoint, and the secret that its messages are to be signed with."""

    url: Annotated[str, Field(min_length=1, max_length=LONGEST_URL)] = Field(
        description="The URL that jobs name as their webhook.",
        examples=["https://shop.example/hooks/headcount"],
    )
    secret: Annotated[str, Field(max_length=200)] | None = Field(
        None,
        description="`whsec_` and 24 to 64 bytes in base64; else a new one.",
    )

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"url": "https://shop.example/hooks/headcount"}]
        }
    )


@routes.post("/secret", responses=answers("webhookSecret", 400, 409, 413))
async def set_webhook_secret(
    ask: SecretAsk, site: Here, caller: Writer, once: ByKey
) -> Response:
    """Set the secret of an endpoint, and show it this once.

    Messages are signed with the one before it too for a day, so that none is lost.
    """
    allow_private = site.door.settings.webhook_allow_private
    url = check_webhook_url(ask.url, allow_private=allow_private)

    async def rotate() -> Kept:
        secrets = (await site.app.webhooks()).secrets
        secret = await secrets.rotate(caller.owner, url, ask.secret)
        return Kept(200, json.dumps({"url": url, "secret": secret}))

    return await once(rotate)
