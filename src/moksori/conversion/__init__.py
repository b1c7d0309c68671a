"""A recording and its text to the same acting in another voice."""
