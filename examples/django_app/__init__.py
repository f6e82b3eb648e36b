"""A Django project that has Headcount behind its QStash route."""
