"""Image files into pixels: only what decides pixels can refuse an image."""
