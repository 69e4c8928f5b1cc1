"""A task that was added to a trained run: its head, what that has to beat, and whether the trunk helps."""
