"""Tell: one self-contained page with the figures and tables that a paper needs. See README.md."""
