"""The dock Train: from images to a model, watched while it learns."""
