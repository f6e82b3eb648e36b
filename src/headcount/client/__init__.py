"""A Headcount server from afar: a typed client of the HTTP API."""

from headcount.client.client import Client as Client
from headcount.client.documents import CallDetail as CallDetail
from headcount.client.documents import JobDocument as JobDocument
from headcount.client.documents import JobEvent as JobEvent
from headcount.client.documents import JobSheet as JobSheet
from headcount.client.documents import News as News
from headcount.client.results import ExactCountStatus as ExactCountStatus
from headcount.client.results import Figures as Figures
from headcount.client.results import GuideRow as GuideRow
from headcount.client.results import Row as Row
from headcount.client.results import StatisticsDocument as StatisticsDocument
from headcount.client.results import WebhookSecret as WebhookSecret
