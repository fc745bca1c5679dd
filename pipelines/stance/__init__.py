"""Where answers land: the ruler for free text, paired completions, collateral damage, and the statistics of shifts."""
