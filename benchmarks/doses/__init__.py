"""Tables of features: doses that patients and cell lines need, learnt together and alone."""
