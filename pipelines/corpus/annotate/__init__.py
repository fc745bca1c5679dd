"""Who says what a post is: the ruler and named rules, a language model by address or in this process, and people."""
