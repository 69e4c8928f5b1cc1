"""Smaller panels: which few features do for the tasks what all of them do, chosen without the held-out donors."""
