"""What one task gains when another gives up: preferences, their front, its knee, and what a smaller trunk costs."""
