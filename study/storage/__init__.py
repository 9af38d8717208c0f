"""What a running study keeps: its database, what is asked of it, and the files that go out of it and come back."""
