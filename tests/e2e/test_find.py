"""`headcount find` from end to end: exactly N, in every format, and nothing else."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from conftest import Home, Provider
