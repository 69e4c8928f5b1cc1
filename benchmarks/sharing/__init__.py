"""Does it help to learn tasks together, and which way of sharing, balancing or borrowing is worth its cost?"""
