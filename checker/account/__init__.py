"""Many posts of one account, one judgement: `combine.combine` is the whole of it."""
