"""Images to features: one global vector and a set of patch tokens each."""
