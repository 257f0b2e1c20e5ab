"""Everything that goes wrong in a world. Each fault returns whether there was anything for it to hit."""
