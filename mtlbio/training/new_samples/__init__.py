"""New samples before a model predicts them: are they of its kind, on its scale, and what of them is missing?"""
