"""What training, balancing and the trial cost."""
