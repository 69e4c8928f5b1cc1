"""One command per question, a folder per kind of question: README.md lists them."""
