"""Disk and servers: the ledger, keys, the MLflow mirror, data folders."""
