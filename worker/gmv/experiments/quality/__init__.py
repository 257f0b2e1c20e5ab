"""How good what a generator draws is: Frechet distance and Inception Score, in features of a small classifier."""
