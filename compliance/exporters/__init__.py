"""One file per foreign format: what we know, in the words of other tools."""
