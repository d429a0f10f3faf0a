"""Fixtures that several folders share; each has its own beside it."""

from hypothesis import settings

pytest_plugins = ["support.mlflow_server"]

# A property is true or not however busy the machine is; how fast things are is measured in benchmarks/.
settings.register_profile("project", deadline=None)
settings.load_profile("project")
