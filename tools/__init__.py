"""Development tools: they are part of neither the wheel nor the image."""
