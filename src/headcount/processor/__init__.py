"""Jobs of another's table: each call takes one forward, and says what to store."""

from headcount.processor.process import (
    process_tiktok_job_with_exact_count,
    process_tiktok_job_with_exact_count_sync,
)
from headcount.processor.told import Processed

__all__ = [
    "Processed",
    "process_tiktok_job_with_exact_count",
    "process_tiktok_job_with_exact_count_sync",
]
