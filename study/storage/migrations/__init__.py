"""How databases of earlier versions become today's, one step a file in `versions`, and how a new database is made."""
