"""From a studio's script and recordings to its delivery."""
