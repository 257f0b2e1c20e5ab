"""What HTML pages share that need nothing but themselves: how they look, their figures, small pictures."""
