"""The forward and backward pass of LoRA training on a CPU, beneath TRL's own trainers, for models of the Llama family.

`maps` are the frozen linear maps with what adapters add, `decoder` the layers over rows without padding, `head` the log-probabilities,
`install` puts them where TRL's loss looks for them. TRL keeps the loss, the order of the rows, the optimizer and the figures; a test
holds loss and gradients to TRL's own.
"""
