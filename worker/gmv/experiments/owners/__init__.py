"""Credits of owners against what owners are worth by retraining: a fast generator trained on every subset of them."""
