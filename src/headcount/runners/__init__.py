"""Who turns the crank: each runner calls the engine until a job has ended."""
