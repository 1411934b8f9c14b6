"""The quality report: one page about a model, beside its file."""
