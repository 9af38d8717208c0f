"""Make the images: painters, rewriters, scorers, the predictor of one person's taste, and the steering loop. See README.md."""
