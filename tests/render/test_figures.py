"""Figures: same data, same bytes; well-formed; every group drawn; text stays text."""

from xml.etree import ElementTree

from compliance.render.figures import Bin, Point, Row, forest, reliability, roc

SVG = "{http://www.w3.org/2000/svg}"
POINTS = [Point(0, 0), Point(0.1, 0.6), Point(0.4, 0.9), Point(1, 1)]
ROWS = [Row("All", 0.8, 0.75, 0.85), Row("sex F & M <x>", 0.7, 0.5, 0.8, 0.72, True), Row("tiny", 0.5, None, None)]


def texts(svg: str) -> list[str]:
    return [e.text or "" for e in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_same_data_give_the_same_bytes() -> None:
    assert roc(POINTS, Point(0.1, 0.6), "t", ["l"]) == roc(POINTS, Point(0.1, 0.6), "t", ["l"])
    assert forest(ROWS, "Sensitivity", "t") == forest(ROWS, "Sensitivity", "t")


def test_a_roc_curve_runs_through_its_points_and_marks_the_operating_point() -> None:
    drawing = ElementTree.fromstring(roc(POINTS, Point(0.1, 0.6), "ROC of m@1", ["ROC"]))
    path = drawing.find(f"{SVG}path")
    assert path is not None
    assert path.attrib["d"].count("L") == len(POINTS) - 1
    assert len(drawing.findall(f"{SVG}circle")) == 1
    assert drawing.findtext(f"{SVG}title") == "ROC of m@1"
    assert not ElementTree.fromstring(roc(POINTS, None, "t", [])).findall(f"{SVG}circle")


def test_a_forest_plot_draws_every_group_and_a_missed_criterion_is_hollow() -> None:
    svg = forest(ROWS, "Sensitivity", "t")
    assert {"All", "sex F & M <x>", "tiny"} <= set(texts(svg))
    circles = ElementTree.fromstring(svg).findall(f"{SVG}circle")
    assert [c.attrib["fill"] == "#ffffff" for c in circles] == [False, True, False]


def test_a_forest_plot_of_one_value_has_an_axis() -> None:
    assert "0.5" in texts(forest([Row("All", 0.5, 0.5, 0.5)], "Brier score", "t"))


def test_a_reliability_diagram_draws_every_bin() -> None:
    bins = [Bin(0.1, 0.12, 0.05, 0.2, 100), Bin(0.5, 0.4, None, None, 10)]
    assert len(ElementTree.fromstring(reliability(bins, "t", [])).findall(f"{SVG}circle")) == 2
