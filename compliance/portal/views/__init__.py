"""The portal's pages, one module per subject; each handler takes a visit and returns an answer."""
