"""What differs between the kinds of run."""
