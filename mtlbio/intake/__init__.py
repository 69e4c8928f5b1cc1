"""Files as labs have them: read as they were meant, with a note on everything that was taken for granted."""
