"""Training: stages, losses, the loop that runs them, validation, checkpoints and events."""
