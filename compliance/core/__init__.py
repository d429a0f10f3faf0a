"""The pure core: values in, values out. No clock, disk, network, MLflow, SQL, Typer, FastAPI or WeasyPrint."""
