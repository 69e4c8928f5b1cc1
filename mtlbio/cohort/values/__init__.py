"""What the rows, columns and values of measurements are: orientation, names, scale, gaps."""
