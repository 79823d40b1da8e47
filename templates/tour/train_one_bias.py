"""One bias, two snack shops: trained with NumPy and the generated module one_bias.py alone.

A visit: hunger is drawn from [0, 1); p is the probability of choosing Norm, and Norm is right where
hunger > 1/2. The reward is 1 for the right shop and -1 for the other.
"""

import numpy as np
import one_bias as m

VISITS, SHOWN, RATE = 10_000, 1_000, 1.0

rng = np.random.default_rng(0)
params = m.init(rng)
biases, rewards = [], []
for visit in range(1, VISITS + 1):
    hunger, draw = rng.random(2)
    p = m.forward(params, hunger=[hunger])[0]
    norm = draw >= 1 - p
    reward = 1.0 if norm == (hunger > 0.5) else -1.0
    _, grads = m.value_and_grad(params, hunger=[hunger], norm=[norm], reward=[reward])
    params.flat -= RATE * grads.flat
    biases.append(float(params.b))
    rewards.append(reward)
    if visit % SHOWN == 0:
        right = rewards[-SHOWN:].count(1.0) / SHOWN
        done = f"visit {visit:6,} of {VISITS:,}"
        print(f"{done}   b = {biases[-1]:8.4f}   {right:.1%} right", flush=True)

half = VISITS // 2
print(f"b = {np.mean(biases[half:]):.2f} on average over the last {half:,} visits")
