"""Named losses that must be refused: what is wrong, the equations, where the error points, what it says.

The equations begin on line 4 of a spec in which everything else fits.
"""

from __future__ import annotations

from bad_specs import Bad

SPEC = '''outputs = ["q", "critic"]
[losses.one]
equations = """
{}
"""
[sizes]
B = "batch"
T = "steps"
[networks.q]
input = "obs"
layers = ["dense 8 tanh", "dense 2"]
[networks.critic]
input = "obs"
layers = ["dense 1"]
[params]
k = "real"
w = "real[B]"
[data]
obs = "real[B, 4]"
next_obs = "real[B, 4]"
seq = "real[B, T, 4]"
act = "int[B] < 2"
ret = "real[B]"
gain = "real[T]"
done = "bool[B]"
gamma = "real = 0.99"
'''

TD = "q_learning(q, act, ret, gamma, q(next_obs)"

# claim, equations, place, words
# fmt: off
ROWS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    # names
    ("a misspelt loss", "loss = squared_eror(ret, gamma)", "4:8", ("unknown function", 'did you mean "squared_error"')),
    ("a misspelt loss of a network elsewhere", "loss = q_learnin(q, act, ret, gamma, q(next_obs))", "4:8", ('unknown function "q_learnin"', 'did you mean "q_learning"')),
    ("a capital", "loss = Huber(w, ret)", "4:8", ('did you mean "huber"',)),
    ("the name of another library", "loss = mse_loss(w, ret)", "4:8", ("write `squared_error(x, y)`",)),
    ("the name of another library for huber", "loss = smooth_l1_loss(w, ret)", "4:8", ("write `huber(x, y)`",)),
    ("cross-entropy without its kind", "loss = cross_entropy(q, act)", "4:8", ("`softmax_cross_entropy(q, act)`",)),
    ("the algorithm's name", "loss = double_dqn(q, act, ret, gamma, q(next_obs), q)", "4:8", ("write `double_q_learning(",)),
    ("a loss without arguments", "loss = squared_error", "4:8", ('"squared_error" is a function and came without its arguments',)),
    ("another name for the loss", "los = squared_error(ret, w)", "4:1", ('did you mean "loss"',)),
    # arguments
    ("too few arguments", "loss = squared_error(ret)", "4:8", ("takes 2 arguments, and 1 came", "squared_error(q[b], y[b], half=false)")),
    ("no arguments", "loss = squared_error()", "4:8", ("takes 2 arguments, and 0 came",)),
    ("too many arguments", "loss = huber(ret, ret, 1)", "4:8", ("takes 2 arguments, and 3 came", "delta=1)")),
    ("a coefficient without its name", "loss = reinforce(q, act, ret, 0.01)", "4:8", ("takes 3 arguments, and 4 came", "entropy=0)")),
    ("arguments by name", "loss = squared_error(q=w, y=ret)", "4:8", ("takes 2 arguments, and 0 came",)),
    ("no selector", "loss = double_q_learning(q, act, ret, gamma, q(next_obs))", "4:8", ("takes 6 arguments, and 5 came", "q_t_selector[b,a]")),
    ("an unknown tensor as an argument", "loss = squared_error(rett, w)", "4:22", ('unknown tensor "rett"', 'did you mean "ret"')),
    ("an unknown network as an argument", "loss = reinforce(policy, act, ret)", "4:18", ('unknown tensor "policy"', "known: ", " q,")),
    ("an index as an argument", "loss = huber(ret, b)", "4:19", ('unknown tensor "b"',)),
    ("a truth value as an argument", "loss = reward_signed_cross_entropy(w, true, ret)", "4:39", ('unknown tensor "true"', "a condition is `done[b]`")),
    ("a whole tensor inside an expression", "loss = squared_error(2*ret, w)", "4:24", ('"ret" is a whole tensor', "as in ret[b]")),
    ("a whole bool inside an expression", "loss = q_learning(q, act, ret, gamma*(1 - done), q(next_obs))", "4:43", ('"done" is a whole tensor', "as in done[b]")),
    ("an expression whose axes have no order", "loss = squared_error(seq[b,t,0], w[b]*gain[t])", "4:34", ("their order is open", "name")),
    ("max of two values as an argument", "loss = huber(max(w[b], 0), ret)", "4:14", ('did you mean "maximum"', "maximum(w[b], 0)")),
    ("swapped arguments", "loss = q_learning(act, q, ret, gamma, q(next_obs))", "4:8", ("q_tm1 is act, with 1 axis", "a_tm1 is q, with 2 axes")),
    # axes
    ("a forgotten place of the last axis", "loss = squared_error(critic, ret)", "4:8", ("q is critic, with 2 axes", "y is ret, with 1 axis", "v[b,0]")),
    ("a baseline with an axis too many", "loss = reinforce(q, act, ret, baseline=critic)", "4:8", ("baseline is critic, with 2 axes", "v[b,0]")),
    ("a slice", "loss = reinforce(q, act, ret, baseline=critic[:,0])", "4:47", ("there are no slices",)),
    ("logits without an axis of actions", "loss = reinforce(ret, act, ret)", "4:8", ("logits is ret, with 1 axis", "action is act, with 1 axis")),
    ("logits that are a number", "loss = reinforce(0.5, act, ret)", "4:8", ("logits is a number here", "reinforce(logits[b,a]")),
    ("next values that are a number", "loss = q_learning(q, act, ret, gamma, 0)", "4:8", ("q_t is a number here", "needs an axis of its own")),
    ("a wrong axis: the next observation for its values", "loss = q_learning(q, act, ret, gamma, next_obs)", "4:8", ("axis 2 of q has size 2", "axis 2 of next_obs has size 4")),
    ("a wrong axis: another network's values", "loss = residual_q_learning(q, act, ret, gamma, critic)", "4:8", ("axis 2 of q has size 2", "axis 2 of critic has size 1")),
    ("a wrong axis: computed values", "n[b,i] = seq[b,0,i]**2\nloss = q_learning(q, act, ret, gamma, n)", "5:8", ("axis 2 of q has size 2", "axis 2 of n has size 4")),
    ("a wrong axis: the selector", "loss = double_q_learning(q, act, ret, gamma, q(next_obs), obs)", "4:8", ("axis 2 of q has size 2", "axis 2 of obs has size 4")),
    ("labels with an axis too many", "loss = softmax_cross_entropy(q, q)", "4:8", ("label is q, with 2 axes",)),
    ("axes of different sizes", "loss = squared_error(ret, gain)", "4:8", ("squared_error(q[b], y[b]", "axis 1 of ret has size B", "axis 1 of gain has size T")),
    ("a computed axis that is shorter", "v[b] = w[b+1] - w[b] for b < B-1\nloss = huber(v, ret)", "5:8", ("axis 1 of v has size B-1", "axis 1 of ret has size B")),
    ("a range of one argument alone", "loss = huber(w[b+1], ret) for b < B-1", "4:8", ("axis 1 of q_2 has size B-1",)),
    ("a range that nothing has", "loss = huber(w, ret) for b < 3", "4:26", ('nothing here has the index "b"', "w[b]")),
    # kinds
    ("an action that is real", "loss = reinforce(q, ret, ret)", "4:8", ("reinforce(logits[b,a], action[b], ret[b], baseline[b]=0, entropy=0): action is ret, which is real", "int")),
    ("an int for a part of its places", "loss = reinforce(q[b,a], act[b], ret[b]) for b < B-1", "4:26", ("reinforce(logits[b,a], action[b], ", "action is read as a subscript", "without `for`")),
    ("an int at shifted places", "loss = reinforce(q, act[b+1], ret)", "4:21", ("action is read as a subscript", "shifted places")),
    ("a label that is bool", "loss = softmax_cross_entropy(q, done)", "4:8", ("softmax_cross_entropy(logits[b,a], label[b], ", "label is done, which is bool", "int")),
    ("a choice that is real", "loss = reward_signed_cross_entropy(ret, w, ret)", "4:8", ("reward_signed_cross_entropy(logit[b], chosen[b], reward[b]): ", "a condition was expected", "bool")),
    ("a choice that is a number", "loss = reward_signed_cross_entropy(w, 1, ret)", "4:39", ("a condition was expected",)),
    # options
    ("an unknown option", "loss = huber(ret, w, beta=2)", "4:27", ('huber has no option "beta"', '"delta"')),
    ("a misspelt option", "loss = reinforce(q, act, ret, entrop=0.1)", "4:38", ('no option "entrop"', 'did you mean "entropy"')),
    ("an option of another loss", "loss = binary_cross_entropy(ret, w, half=true)", "4:42", ('no option "half"', "known: mask, sum, weight")),
    ("an option given twice", "loss = huber(ret, w, delta=2, delta=3)", "4:37", ('option "delta" is given twice',)),
    ("a flag given twice", "loss = squared_error(ret, w, half=false, half=true)", "4:47", ('option "half" is given twice',)),
    ("a flag that is a number", "loss = squared_error(ret, w, half=1)", "4:35", ('option "half" is true or false',)),
    ("a flag of Python", "loss = squared_error(ret, w, half=True)", "4:35", ('option "half" is true or false',)),
    ("a number that is a flag", "loss = huber(w, ret, delta=true)", "4:28", ('option "delta" is a number, and true came',)),
    ("a number that is a flag, for none", f"loss = {TD}, huber=true)", "4:58", ('option "huber" is a number, and true came',)),
    ("a number that is none", "loss = huber(w, ret, delta=none)", "4:28", ('option "delta" is a number, and none came',)),
    ("a number that is a text", 'loss = huber(w, ret, delta="1")', "4:28", ("equations hold no texts",)),
    ("a number that is nothing known", "loss = huber(w, ret, delta=big)", "4:28", ('unknown tensor "big"',)),
    ("a number that is an index", "loss = huber(w, ret, delta=b)", "4:28", ('unknown tensor "b"',)),
    ("a width of 0", "loss = huber(w, ret, delta=0)", "4:28", ('option "delta" is a number above 0, and 0 came',)),
    ("a negative width", "loss = huber(w, ret, delta=-1)", "4:28", ("a number above 0, and -1 came",)),
    ("a width of 0 for none", f"loss = {TD}, huber=0)", "4:58", ('option "huber" is a number above 0',)),
    ("a width that is any number", "loss = huber(w, ret, delta=gamma)", "4:8", ('option "delta" is a number above 0', 'write gamma = "real > 0" in [data]')),
    ("a width that is any number, for none", f"loss = {TD}, huber=gamma)", "4:8", ('option "huber" is a number above 0', 'write gamma = "real > 0" in [data]')),
    ("a width that is learned", "loss = huber(w, ret, delta=k)", "4:8", ("and k may be any; write delta=exp(k)",)),
    ("a coefficient with axes", "loss = reinforce(q, act, ret, entropy=w)", "4:8", ("entropy is w, with 1 axis, too many",)),
    ("an option without a value", "loss = huber(w, ret, delta=)", "4:28", ("where a number, a name or '(' was expected",)),
    ("an option's name alone", "loss = huber(w, ret, delta)", "4:8", ("takes 2 arguments, and 3 came",)),
    ("an argument after an option", "loss = huber(ret, delta=2, w)", "4:28", ("arguments stand before options",)),
    ("options that exclude each other", f"loss = {TD}, half=true, huber=1)", "4:8", ("choose one of the options half and huber",)),
    # where it stands
    ("a named loss inside a mean", "loss = mean(b: squared_error(ret[b], w[b]))", "4:16", ("is the mean already", '"b" is bound')),
    ("a named loss of whole tensors inside a mean", "loss = mean(b: huber(w, ret))", "4:16", ("is the mean already", '"b" is bound')),
    ("a named loss in an expression inside a mean", "loss = mean(b: 2*huber(w[b], ret[b]))", "4:24", ("is the mean already",)),
    ("a named loss of a bound index", "loss = mean(b: w[b]*huber(ret, b))", "4:32", ("is the mean already", '"b" is bound')),
    ("a mean without its index", "loss = mean(huber(w, ret))", "4:8", ("mean needs the index",)),
    ("a named loss for each place", "l[b] = squared_error(ret[b], w[b])\nloss = mean(b: l[b])", "4:8", ("is the mean already",)),
    ("a loss that is not a scalar", "loss[b] = huber(w, ret)", "4:11", ("is the mean already",)),
    ("a named loss read at no axis", "loss = mean(b: huber(critic[b,0], ret)[b,0])", "4:16", ("huber",)),
    ("max of two losses", "loss = max(huber(w, ret), 0)", "4:8", ("maximum(huber(w, ret), 0)",)),
    ("a forgotten mean", "loss = (w[b] - ret[b])**2", "4:11", ("mean(b: ...)",)),
    ("a forgotten mean of a computed error", "e[b] = (w[b] - ret[b])**2\nloss = e", "5:8", ('"e" has 1 axis', "e[")),
    ("a computed loss that is not a scalar", "loss[b] = (w[b] - ret[b])**2", "4:1", ('"loss" has shape (B)', "mean(b: ...)")),
)
# fmt: on


def cases() -> list[Bad]:
    """All of them."""
    return [Bad(claim, SPEC.format(text), place, words) for claim, text, place, words in ROWS]
