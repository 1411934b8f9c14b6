"""Every task of a trained model: what was observed goes in, a restoration comes out."""
