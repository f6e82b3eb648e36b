"""Where everything is: QStash's paths are those that Headcount publishes to."""

from django.urls import path

from django_app import views
from headcount.serverless import FAILED, PROCESS, SWEEP

urlpatterns = [
    *(path(route[1:], views.qstash) for route in (PROCESS, SWEEP, FAILED)),
    path("campaigns", views.begin),
    path("campaigns/<uuid:campaign_id>", views.show),
    path("hooks/headcount", views.receive),
]
