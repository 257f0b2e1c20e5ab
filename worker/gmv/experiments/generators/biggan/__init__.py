"""BigGAN (Brock, Donahue and Simonyan, arXiv:1809.11096), small."""
