"""The look of images: what it is, how it is taken from references, and how another image is given it."""
