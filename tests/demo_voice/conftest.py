import pytest
from tests.demo_voice.singer import Singer


@pytest.fixture(scope="session")
def singer() -> Singer:
    return Singer()
