"""Do axes follow what was planted, and do predictions reach what the truth allows?"""
