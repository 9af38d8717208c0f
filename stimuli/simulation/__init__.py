"""People and ratings made up with known tastes: they show what the rest finds, and stand in where nobody rated yet."""
