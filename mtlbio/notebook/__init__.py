"""The door for notebooks: from objects in memory to the same verdicts as the command line gives; nothing is written."""
