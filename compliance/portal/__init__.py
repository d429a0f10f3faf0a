"""The auditor's portal: read-only pages over one workspace. No route writes evidence; there is no admin page."""
