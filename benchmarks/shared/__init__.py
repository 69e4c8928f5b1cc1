"""What benchmarks of several folders need."""
