"""What a listener would say of converted lines, in figures (extra `eval`)."""
