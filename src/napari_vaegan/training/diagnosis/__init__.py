"""What can go wrong with an adversarial training, measured one file a failure."""
