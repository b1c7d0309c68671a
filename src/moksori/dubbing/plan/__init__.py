"""What is to be done, and what is wrong with it."""
