"""The verbs: what a person or a pipeline asks of a workspace."""
