"""How good a model is, measured once at the end of its training on images held apart."""
