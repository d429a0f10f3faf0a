import json
import os
import sys

os.environ["GX_ANALYTICS_ENABLED"] = "false"
import great_expectations as gx
import pandas as pd

frame = pd.DataFrame({"patient": ["P1", "P2", "P3", "P4"], "age": [61, 47, 130, None], "sex": ["F", "M", "X", "F"]})
context = gx.get_context(mode="ephemeral")
suite = context.suites.add(gx.ExpectationSuite(name="admission", expectations=[
    gx.expectations.ExpectTableRowCountToBeBetween(min_value=1, max_value=10),
    gx.expectations.ExpectColumnValuesToBeBetween(column="age", min_value=0, max_value=120, severity="critical"),
    gx.expectations.ExpectColumnValuesToBeInSet(column="sex", value_set=["F", "M"]),
    gx.expectations.ExpectColumnValuesToNotBeNull(column="weight"),
]))  # fmt: skip
batch = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
whole = batch.get_batch({"dataframe": frame}).validate(suite)
text = json.dumps(whole.to_json_dict(), indent=1).replace(sys.prefix, "/usr")
with open("validation.json", "w") as out:
    out.write(text)
