"""Audit of the pictures: copies, copies under two labels, dark, blurred and nearly one-coloured pictures."""
