"""Moksori Studio: the director's page, on the job that the commands work on."""
