"""Class-conditional diffusion with classifier-free guidance (Ho and Salimans, arXiv:2207.12598)."""
