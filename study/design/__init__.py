"""The design: who sees what, on which side and in which order. Pure: it needs no database and no page."""
