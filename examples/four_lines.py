"""The smallest use: a run without an account."""

import anonrun as wandb

# Start a run allowing anonymous accounts
wandb.init(anonymous="allow")

# Log results from your training loop
wandb.log({"acc": 0.91})

# Mark the run as finished
wandb.finish()
