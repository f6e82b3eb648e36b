"""The history of the app's own tables."""
