"""What is read and checked when a QStash sandbox is made: rules of faults, and maps."""

import pytest

from headcount.sandbox.qstash import FAULTS, Faults, QStashSandbox
from headcount.sandbox.qstash.faults import DeliveryFault, MessageFault, RequestFault


def test_what_is_hit_by_a_fault_is_told_by_its_kind() -> None:
    faults = Faults.parse(["down@1", "late@1", "twins@1"])

    assert faults.at(RequestFault, 1) is FAULTS["down"]
    assert faults.at(MessageFault, 1) is FAULTS["late"]
    assert faults.at(DeliveryFault, 1) is FAULTS["twins"]
    assert faults.at(DeliveryFault, 2) is None


def test_the_same_seed_gives_the_same_faults() -> None:
    def hits(seed: int) -> list[int]:
        faults = Faults.parse(["duplicate:0.1"], seed=seed)
        return [n for n in range(1, 1001) if faults.at(DeliveryFault, n)]

    assert hits(7) == hits(7) != hits(8)
    assert 60 <= len(hits(7)) <= 140


def test_an_unknown_fault_is_told_with_the_nearest_name() -> None:
    with pytest.raises(ValueError, match="did you mean 'duplicate'"):
        Faults.parse(["duplicated:0.1"])


@pytest.mark.parametrize("place", ["https://elsewhere.example", "http://10.0.0.1:80"])
def test_a_map_must_lead_to_the_loopback(place: str) -> None:
    with pytest.raises(ValueError, match="expected a URL on the loopback"):
        QStashSandbox({"https://app.example": place})


def test_a_map_must_lead_from_a_url() -> None:
    with pytest.raises(ValueError, match=r"the public URL 'app.example'"):
        QStashSandbox({"app.example": "http://127.0.0.1:8000"})
