import pytest


def test_passes():
    assert True


@pytest.mark.parametrize("dose", ["5 mg", "10 mg"])
def test_dose(dose):
    assert dose == "5 mg"


@pytest.mark.skip(reason="needs a device")
def test_skipped():
    pass


@pytest.fixture
def broken():
    raise RuntimeError("no scanner")


def test_error(broken):
    pass
