"""Learners of many small tasks on equal footing: starts that adapt by gradient steps, and encoders with prototypes."""
