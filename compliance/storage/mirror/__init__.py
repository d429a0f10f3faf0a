"""The mirror in MLflow: what a piece of evidence looks like there, and the two ways to write and read it.

`record` is pure and says what stands in a run; `rest` speaks to a tracking server without importing
MLflow; `client` speaks to a database or file store through MLflow's own client; `moved` mends what a
copied workspace would otherwise share with its original.
"""
