"""The page in other languages: one catalogue a language, from English texts to theirs, and how a text is found in it."""
