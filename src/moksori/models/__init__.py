"""The models. Each takes built parts, never a file; shapes stand in every docstring.

B lines, T frames, N phones, C channels. Masks are True where there is content.
"""
