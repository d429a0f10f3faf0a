"""Fixtures that several folders share; each has its own beside it."""

pytest_plugins = ["support.mlflow_server"]
