"""What the app does: campaigns, QStash's messages and Headcount's webhooks."""

import json
from collections.abc import Mapping
from uuid import UUID

from django.conf import settings
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from standardwebhooks import Webhook, WebhookVerificationError

from django_app import jobs
from django_app.models import Campaign, Scraped
from headcount import InvalidSearch
from headcount.serverless import Answer, handle_message


# ------------------------------------------------------------------- QStash's messages
@csrf_exempt
@require_POST
def qstash(request: HttpRequest) -> HttpResponse:
    """Answer a message of QStash: Headcount's, or one of the app's own."""
    status, headers, body = handle_message(
        request.body,  # as it came: the signature is over these bytes
        request.headers,
        path=request.path,
        fallback=scrape,
    )
    return HttpResponse(body, status=status, headers=headers)


def scrape(body: bytes, _headers: Mapping[str, str]) -> Answer:
    """Do the app's own work for a message that is signed, and of no job of ours."""
    done, _ = Scraped.objects.get_or_create(job_id=json.loads(body)["jobId"])
    text = json.dumps({"scraped": done.job_id})
    return 200, {"Content-Type": "application/json"}, text.encode()


# ------------------------------------------------------------------- the app's own work
@csrf_exempt
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Begin a campaign; its first message is published before this answers."""
    asked = json.loads(request.body)
    campaign = Campaign.objects.create(name=asked["name"])  # before any webhook
    try:
        job_id = jobs.begin(str(campaign.pk), asked["keywords"], asked["target"])
    except InvalidSearch as error:
        campaign.delete()
        return JsonResponse({"detail": str(error)}, status=422)
    return JsonResponse({"id": campaign.pk, "jobId": job_id}, status=201)


@require_GET
def show(_request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Show a campaign: how far it is, and its creators once it has ended."""
    return JsonResponse(model_to_dict(get_object_or_404(Campaign, pk=campaign_id)))


# --------------------------------------------------------------------------- webhooks
@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Take what Headcount tells of a job; its creators too, when it has ended."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        message = Webhook(settings.HEADCOUNT_WEBHOOK_SECRET).verify(
            request.body, headers
        )
    except WebhookVerificationError:
        return HttpResponse("unauthorized", status=401)
    job, at = message["data"], message["timestamp"]
    news = {"status": job["status"], "progress": job["progress"], "told_at": at}
    if message["type"] != "job.progress":
        news["creators"] = jobs.creators(job["id"])
    # Messages may come in any order: what happened earlier changes nothing any more.
    Campaign.objects.filter(pk=job["campaign"], told_at__lte=at).update(**news)
    return HttpResponse(status=204)
