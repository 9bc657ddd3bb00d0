"""Back ends of the stand-in."""
