"""An index made of another."""
