"""What the researcher does beside the study: look through the images before people see them, and watch while people take part."""
