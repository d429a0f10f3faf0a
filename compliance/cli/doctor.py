"""`compliance doctor`."""

import typer

from compliance.cli import options, output
from compliance.cli.edge import COULD_NOT


def doctor(workspace: options.WorkspaceDir = None, as_json: options.AsJson = False) -> None:
    """Check this machine and, where there is one, this workspace; each problem comes with its remedy."""
    from compliance.services import doctor as checking

    checks = checking.examine(workspace)
    if as_json:
        output.result([check.to_dict() for check in checks])
    else:
        output.table(("check", "state", "detail"), [(c.name, c.state, c.detail) for c in checks])
        for check in checks:
            if check.remedy:
                output.put()
                output.fields({check.name: check.remedy})
    if any(check.state == "problem" for check in checks):
        raise typer.Exit(COULD_NOT)
