"""How a record's content is laid out."""

from compliance.portal import shapes


def test_rows_within_named_rows_become_a_table_of_their_own() -> None:
    groups = [{"group": {"sex": "F"}, "n": 12}, {"group": {"sex": "M"}, "n": 30}]
    laid = shapes.shape(
        [{"name": "age", "missing": 0, "by_group": groups}, {"name": "id", "missing": 2}], lambda name, sha256: None
    )
    assert isinstance(laid, shapes.Facts)
    (each, table), (by_group, nested) = laid.facts
    assert isinstance(table, shapes.Table)
    assert isinstance(nested, shapes.Table)
    assert (each, table.columns, len(table.rows)) == ("Each", ("Name", "Missing"), 2)
    assert (by_group, nested.columns) == ("By group", ("Of", "Group", "n"))
    assert nested.rows[1] == (shapes.Text("age"), shapes.Text("sex M"), shapes.Text("30"))
