"""Putting a study on a server: several processes with PostgreSQL behind nginx, as files that one command writes."""
