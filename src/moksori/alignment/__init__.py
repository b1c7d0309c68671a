"""When each phone and word is said, and how sure that is."""
