"""Ask people: a blinded pairwise comparison, its schedule, its database and its pages. See README.md."""
