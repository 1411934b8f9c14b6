"""What is observed of an image: to train, to start from, and to stay consistent with."""
