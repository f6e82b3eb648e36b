"""Exactly N different creators, or precisely why not."""
