"""The outside world behind the doors of `headcount.ports`."""
