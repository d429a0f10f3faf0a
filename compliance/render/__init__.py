"""From what a document says to what it looks like: HTML, vector figures, PDF. Nothing is fetched from anywhere."""
