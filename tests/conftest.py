"""What tests in every room share."""

from pathlib import Path

import pytest

SAMPLES = Path(__file__).parent / "samples"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-golden", action="store_true", help="write golden rows and docs/schema.md anew; read the difference"
    )
