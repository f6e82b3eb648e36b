"""The app's own tables."""

import uuid

from django.db import models


class Campaign(models.Model):
    """What a user asked for, and what Headcount has told of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=20, default="pending")
    progress = models.CharField(max_length=10, default="0.0%")
    told_at = models.CharField(max_length=30, default="")  # when that happened
    creators = models.JSONField(default=list)

    def __str__(self) -> str:
        """Give its name, and how far it is."""
        return f"{self.name}: {self.progress}"


class Scraped(models.Model):
    """A job of the app's own, done."""

    job_id = models.CharField(max_length=40, primary_key=True)

    def __str__(self) -> str:
        """Give its id."""
        return str(self.job_id)
