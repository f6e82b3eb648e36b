"""The settings of the example; Headcount reads its own from the environment."""

import os

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "only-for-this-example")
PUBLIC_URL = os.environ["PUBLIC_URL"]
HEADCOUNT_WEBHOOK_SECRET = os.environ["HEADCOUNT_WEBHOOK_SECRET"]
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "django_app.urls"
INSTALLED_APPS = ["django_app"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("APP_DATABASE", "app.db"),
    }
}
USE_TZ = True
TIME_ZONE = "UTC"
