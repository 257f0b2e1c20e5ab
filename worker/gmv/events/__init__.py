"""What arrives: events, how they are written as CloudEvents, and how the images they name are read within limits."""
