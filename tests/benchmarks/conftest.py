"""The benchmarks are scripts beside the package; here they are imported."""

import sys
from pathlib import Path

# At the end, so that no module of the tests is hidden by one of theirs.
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
