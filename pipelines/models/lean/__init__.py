"""Answers from models of the Llama family on a CPU with as few operations a token as there can be.

`llama` is the forward pass, `halves` the adapters of a batch, `decoding` the loop that draws tokens. Other models, and GPUs, go
through the library's own `generate`.
"""
