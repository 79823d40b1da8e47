"""Specs with networks, activations or named losses that must be refused.

What is wrong, the text, where the error points, and what it says. NETWORKS stand in one spec, whose
[networks.q] begins on line 2; LOSSES are the equations of a loss in a spec where everything else fits; EQUATIONS
are its shared equations; TEXTS are whole files.
"""

from __future__ import annotations

from bad_specs import Bad

DECLARATIONS = """
[sizes]
B = "batch"
T = "steps"
H = 8
[params]
k = "real"
w = "real[B]"
[data]
obs = "real[B, 4]"
next_obs = "real[B, 4]"
wide = "real[B, 5]"
seq = "real[B, T, 4]"
act = "int[B] < 2"
pair = "real[B, 2]"
ret = "real[B]"
gain = "real[T]"
done = "bool[B]"
gamma = "real = 0.99"
"""

Q = """
[networks.q]
input = "obs"
layers = ["dense H tanh", "dense 2"]
"""

CRITIC = """
[networks.critic]
input = ["obs", "pair"]
layers = ["dense 1"]
"""


def network(text: str) -> str:
    """A spec whose first network is this text."""
    return f"\n[networks.q]\n{text}\n{DECLARATIONS}"


def layer(text: str) -> str:
    return network(f'input = "obs"\nlayers = ["{text}"]')


def second(text: str) -> str:
    """A spec whose first network fits, and this text after it."""
    return network(f'input = "obs"\nlayers = ["dense 2"]\n{text}')


def loss(text: str) -> str:
    """A spec with two networks, and this loss on line 2."""
    return f'[losses.one]\nequations = """\n{text}\n"""\n{Q}{CRITIC}{DECLARATIONS}'


def shared(text: str) -> str:
    """A spec with two networks, and these shared equations."""
    return f'equations = """\n{text}\n"""\n{Q}{CRITIC}{DECLARATIONS}'


# claim, layer, column on line 4, words
# fmt: off
LAYERS: tuple[tuple[str, str, int, tuple[str, ...]], ...] = (
    ("a misspelt layer", "dens 64", 12, ('layer "dens 64"', 'unknown layer "dens"', 'did you mean "dense"')),
    ("a misspelt activation", "dense 64 tanhh", 21, ('network "q"', 'unknown activation "tanhh"', 'did you mean "tanh"')),
    ("a misspelt activation alone", "gelo", 12, ('unknown layer "gelo"', "gelu")),
    ("a layer of another library", "Linear(4, 64)", 12, ('unknown layer "Linear"', "write dense")),
    ("no size", "dense", 17, ("dense needs its width first", "dense 64")),
    ("one size of two", "conv2d 8", 20, ("conv2d needs its channels and kernel first, as in conv2d 32 3",)),
    ("an activation where the size goes", "dense tanh", 18, ("dense needs its width first",)),
    ("an unknown size", "dense W tanh", 18, ('unknown size "W"', "known: B, H, T")),
    ("a size of 0", "dense 0", 18, ("the width is at least 1, and 0 came",)),
    ("a negative size", "dense -3", 18, ("the width is at least 1, and -3 came",)),
    ("a size that is 0 at its default", "dense H-8", 18, ("at the default sizes",)),
    ("half a neuron", "dense 64.5", 18, ("a whole number was expected",)),
    ("two sizes", "dense 64 32", 21, ("'32'", "an activation or an option was expected")),
    ("two activations", "dense 64 tanh relu", 26, ("a layer has one activation", '"relu" is the second')),
    ("a comma", "dense 64, tanh", 20, ("','",)),
    ("an unknown option", "dense 64 rate=0.5", 21, ('dense has no option "rate"', "known: bias")),
    ("an option given twice", "dense 64 bias=false bias=true", 32, ('option "bias" is given twice',)),
    ("an option without a value", "dense 64 bias", 21, ("an option has a value: bias=true",)),
    ("a flag that is none", "dense 64 bias=no", 26, ("bias is true or false, and 'no' came",)),
    ("a flag that is a number", "dense 64 bias=0", 26, ("bias is true or false",)),
    ("a number that is none", "layernorm eps=small", 26, ("eps is a number, and 'small' came",)),
    ("an option whose value is missing", "layernorm eps=", 26, ("eps is a number, and the end of the line came",)),
    ("an unknown initialisation", "dense 64 init=xavier", 26, ('unknown initialisation "xavier"', "glorot_uniform")),
    ("an initialisation without its number", "dense 64 init=constant", 26, ("init=constant needs its value",)),
    ("an initialisation without its reach", "dense 64 init=uniform", 26, ("init=uniform needs how far it reaches", "uniform_fan_in")),
    ("a root of a size that may be 0", "dense 64 init=constant(1/sqrt(H - 8))", 35, ("a root is of a size of at least 1",)),
    ("a root of a tensor", "dense 64 init=constant(1/sqrt(obs))", 42, ('unknown size "obs"', "known: B, H, T")),
    ("a number over a size", "dense 64 init=constant(1/H)", 26, ("takes 1 number, which may be over the root of a size",)),
    ("a layer without the tensor that it needs", "noisy 64 relu", 25, ("noisy needs noise=NAME",)),
    ("a tensor that is not there", "noisy 64 noise=e", 12, ('noise is the name of a tensor, and "e" is none',)),
    ("too little noise", "noisy 8 noise=single", 12, ("noise", "single")),
    ("a bias drawn by fan-in", "dense 64 bias_init=he_normal", 31, ("bias_init is zeros, constant(x), uniform(x) or normal(x)",)),
    ("a layer that copies", "dense 64 init=copy(W1)", 26, ("a network has copy_of",)),
    ("a size for layernorm", "layernorm 64", 22, ("'64'", "an activation or an option was expected")),
    ("a size for an activation", "tanh 64", 17, ("'64'", "the end of the layer")),
    ("an option that an activation has not", "dense 64 elu(beta=2)", 30, ('elu has no option "beta"', "alpha")),
    ("too many options of an activation", "dense 64 elu(1, 2)", 21, ("elu takes 1 option: alpha, and 2 came",)),
    ("options of an activation without any", "tanh(2)", 12, ("tanh takes 0 options",)),
    ("an activation's option given twice", "elu(1, alpha=2)", 25, ('option "alpha" is given twice',)),
    ("an activation's option with axes", "leaky_relu(w[b])", 12, ("rank 0", '"w" came')),
    ("an activation's unknown option value", "leaky_relu(slop)", 12, ("rank 0", '"slop" came')),
    ("an open bracket", "leaky_relu(0.2", 22, ("leaky_relu(0.2",)),
    ("an empty layer", "", 12, ("the end of the line", "a layer was expected", 'layers = ["dense 64 tanh", "dense 2"]')),
    ("two lines", "dense 64\\ndense 2", 12, ("a layer is one line",)),
    ("code", "dense __import__('os')", 29, ("layer", "dense")),
    ("a layer by the name that PyTorch has for it", "linear 64", 12, ('unknown layer "linear"', "write dense")),
    ("a capital letter", "Dense 64", 12, ('unknown layer "Dense"', 'did you mean "dense"')),
    ("an activation by another name", "dense 64 swish", 21, ('unknown activation "swish"', "write silu")),
    ("an activation in capitals", "dense 64 ReLU", 21, ('unknown activation "ReLU"', 'did you mean "relu"')),
    ("an activation as an option", "dense 64 activation=relu", 21, ('no option "activation"', "write relu alone")),
    ("an option of an activation without brackets", "dense 64 leaky_relu 0.2", 32, ("'0.2'", "leaky_relu(0.2)")),
    ("a size by keyword", "dense units=64", 18, ("dense needs its width first, as in dense 64",)),
    ("a size that is a tensor", "dense obs", 18, ('unknown size "obs"', "known: B, H, T")),
    ("a negative size by name", "dense -H", 18, ("the width is at least 1, and -H came",)),
    ("a size that is too large", "dense 99999999999999999999", 18, ("beyond 2**53",)),
    ("a layer that is not ASCII", "dénse 64", 13, ("is not ASCII",)),
    ("an activation that is not ASCII", "dense 64 tänh", 22, ("is not ASCII",)),
    ("a layer that is only a number", "64", 12, ("'64' where a layer was expected", "a text of its own")),
    ("two layers in one text", "dense H tanh, dense 2", 24, ("','", "each layer is a text of its own")),
    ("a layer written like a call", "dense(64, tanh)", 20, ("','", 'layers = ["dense 64 tanh", "dense 2"]')),
    ("the width of the input too", "dense 4 64", 20, ("'64'", "each layer is a text of its own")),
    ("an activation before its layer", "tanh dense 64", 17, ("'dense' where the end of the layer was expected",)),
    ("Python's capital False", "dense 64 bias=False", 26, ("bias is true or false, and 'False' came",)),
    ("PyTorch's name of an initialisation", "dense 64 init=xavier_uniform", 26, ("write glorot_uniform",)),
    ("too many numbers of an initialisation", "dense 64 init=constant(1, 2)", 26, ("init=constant takes 1 number",)),
    ("a number for an initialisation without one", "dense 64 init=he_normal(2)", 26, ("init=he_normal takes 0 numbers",)),
    ("an initialisation that is a number", "dense 64 init=0", 26, ("'0' where an initialisation was expected",)),
    ("a number that is negative", "layernorm eps=-1", 26, ("eps is a number, and '-' came",)),
    ("two layers in one string", "dense 64; dense 2", 20, ("';'",)),
)

# claim, text of [networks.q], place, words
NETWORKS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("a network without layers", 'input = "obs"', "2:1", ('network "q" has no layers', "layers = [")),
    ("a network without an input", 'layers = ["dense 2"]', "2:1", ('network "q" has no input', 'input = "obs"')),
    ("a misspelt key", 'inputs = "obs"\nlayers = ["dense 2"]', "3:1", ('unknown key "inputs"', 'did you mean "input"')),
    ("no layers at all", 'input = "obs"\nlayers = []', "4:1", ('network "q"', "no layers")),
    ("layers that are a string", 'input = "obs"\nlayers = "dense 2"', "4:1", ('"layers" is a list', "dense 2")),
    ("a layer that is a number", 'input = "obs"\nlayers = [64]', "4:1", ("a layer is", "64 came")),
    ("a layer that is a table of another kind", 'input = "obs"\nlayers = [{ dense = 64 }]', "4:1", ("a layer is", "residual")),
    ("a residual block that is no list", 'input = "obs"\nlayers = [{ residual = "dense 4" }]', "4:1", ("a layer is",)),
    ("an empty residual block", 'input = "obs"\nlayers = [{ residual = [] }]', "4:1", ("no layers here",)),
    ("a residual block that changes the size", 'input = "obs"\nlayers = [{ residual = ["dense 64"] }]', "4:1", ("of size 4", "of size 64", "make both equal")),
    ("residual blocks in one another without end", 'input = "obs"\nlayers = [' + "{ residual = [" * 12 + '"dense 4"' + "] }" * 12 + "]", "4:1", ("more than 10 residual blocks",)),
    ("an unknown input", 'input = "ob"\nlayers = ["dense 2"]', "2:1", ('input "ob"', 'did you mean "obs"')),
    ("an input that is a number", 'input = 4\nlayers = ["dense 2"]', "3:1", ("input is a name or a list of names", "4 came")),
    ("no input in the list", 'input = []\nlayers = ["dense 2"]', "3:1", ("input names nothing",)),
    ("an input named twice", 'input = ["obs", "obs"]\nlayers = ["dense 2"]', "3:1", ("twice",)),
    ("an input that is int", 'input = "act"\nlayers = ["dense 2"]', "2:1", ('input "act" is int', "real")),
    ("an input that is bool", 'input = "done"\nlayers = ["dense 2"]', "2:1", ('input "done" is bool', "real")),
    ("an input of rank 0", 'input = "gamma"\nlayers = ["dense 2"]', "2:1", ('input "gamma" has rank 0',)),
    ("inputs of different rank", 'input = ["obs", "ret"]\nlayers = ["dense 2"]', "2:1", ("the same number of axes", "obs has 2", "ret has 1")),
    ("an input that is the network itself", 'input = "q"\nlayers = ["dense 2"]', "2:1", ("its own output: q -> q",)),
    ("held that is no flag", 'input = "obs"\nlayers = ["dense 2"]\nheld = "yes"', "5:1", ("held", "true or false")),
    ("an input at places", 'input = "obs[b,i]"\nlayers = ["dense 2"]', "2:1", ('input "obs[b,i]"', "a whole tensor: write obs")),
    ("an input that is not ASCII", 'input = "öbs"\nlayers = ["dense 2"]', "2:1", ("\\xf6bs", 'did you mean "obs"')),
    ("an input that is a size", 'input = "H"\nlayers = ["dense 2"]', "2:1", ('input "H" is no declared tensor',)),
    ("an input that is code", "input = \"__import__('os')\"\nlayers = [\"dense 2\"]", "2:1", ("is no declared tensor",)),
    ("a layer that is a list", 'input = "obs"\nlayers = [["dense 2"]]', "4:1", ("a layer is", "['dense 2'] came")),
    ("a misspelt residual block", 'input = "obs"\nlayers = [{ residul = ["dense 4"] }]', "4:1", ("a layer is", "residual")),
    ("an activation for the whole network", 'input = "obs"\nactivation = "tanh"\nlayers = ["dense 2"]', "4:1", ('unknown key "activation"',)),
    ("held in quotes", 'input = "obs"\nlayers = ["dense 2"]\nheld = "true"', "5:1", ('"held" is true or false',)),
    ("tensors instead of its own", 'input = "obs"\nlayers = ["dense 2"]\ninstead = { w = "k" }', "5:1", ("instead is for a copy",)),
    ("a copy of two", 'copy_of = ["q"]', "3:1", ('"copy_of" is a string',)),
    ("a copy of nothing", 'copy_of = "p"', "3:1", ('no network is named "p"', "known: q")),
    ("a copy of itself", 'copy_of = "q"', "3:1", ("cannot copy itself",)),
    ("a copy with layers", 'copy_of = "p"\nlayers = ["dense 2"]', "4:1", ('a copy of "p"', "leave one of the two out")),
)

# claim, text after [networks.q], place, words
SECOND: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("a tensor instead of one that no layer names", '[networks.p]\ncopy_of = "q"\ninstead = { w = "k" }', "7:1", ('no layer of "q" names the tensor "w"',)),
    ("a number instead of a tensor", '[networks.p]\ncopy_of = "q"\ninstead = { w = 1 }', "7:1", ("instead has names", "1 came")),
    ("a copy of a copy", '[networks.p]\ncopy_of = "q"\n[networks.o]\ncopy_of = "p"', "8:1", ('"p" is a copy itself', 'its original, "q"')),
    ("a copy with a wider input", '[networks.p]\ncopy_of = "q"\ninput = "wide"', "5:1", ('network "p"', "have 5 features", '"q", which it copies, has 4')),
    ("two networks that need each other", '[networks.p]\ninput = "r"\nlayers = ["dense 2"]\n[networks.r]\ninput = "p"\nlayers = ["dense 2"]', "5:1", ("p -> r -> p",)),
    ("a network named like a datum", '[networks.ret]\ninput = "obs"\nlayers = ["dense 2"]', "5:1", ('network "ret"', "rename one")),
    ("a network named like a size", '[networks.H]\ninput = "obs"\nlayers = ["dense 2"]', "5:1", ('network "H"', "rename one")),
    ("a network named like an equation's tensor", '[networks.p]\ninput = "obs"\nlayers = ["dense 2"]\n[losses.x]\nequations = "p = k\\nloss = p"', "5:1", ('network "p"', "rename one")),
    ("a network named like a parameter", '[networks.k]\ninput = "obs"\nlayers = ["dense 2"]', "5:1", ('network "k"', "rename one")),
    ("a network named like an activation", '[networks.gelu]\ninput = "obs"\nlayers = ["dense 2"]', "5:1", ("the name of an activation",)),
    ("a network named like a loss", '[networks.huber]\ninput = "obs"\nlayers = ["dense 2"]', "5:1", ("the name of a loss",)),
    ("a network named like a keyword", '[networks.lambda]\ninput = "obs"\nlayers = ["dense 2"]', "5:1", ("is a Python keyword",)),
    ("a network named like code", "[networks.\"__import__('os')\"]\ninput = \"obs\"\nlayers = [\"dense 2\"]", "5:1", ("begins with an underscore",)),
    ("a network whose name is too long", f'[networks.{"p" * 33}]\ninput = "obs"\nlayers = ["dense 2"]', "5:1", ("33 characters; at most 32",)),
    ("a network whose name ends in an underscore", '[networks.p_]\ninput = "obs"\nlayers = ["dense 2"]', "5:1", ("ends with an underscore",)),
    ("a network that is no table", "[networks]\np = 5", "6:1", ('"p" is a table',)),
    ("a parameter that has a tensor's name", '[networks.p]\ninput = "obs"\nlayers = ["dense 2"]\n[losses.x]\nequations = "q_W1 = k\\nloss = q_W1"', "2:1", ('its parameter "q_W1"', "rename yours")),
    ("an adjoint's name", '[networks.dq]\ninput = "obs"\nlayers = ["dense 2"]\n[losses.x]\nloss = "squared_error(q[b,0], ret)"', "5:1", ('network "dq"', 'the adjoint of "q"')),
    ("a held network in wrt", 'held = true\n[losses.x]\nwrt = ["q"]\nloss = "squared_error(q[b,0], ret)"', "7:1", ('"q" is a network that is held constant',)),
    ("a held network's parameter in wrt", 'held = true\n[losses.x]\nwrt = ["W1"]\nloss = "squared_error(q[b,0], ret)"', "7:1", ('"W1" belongs to', "held constant")),
    ("a misspelt network in wrt", '[losses.x]\nwrt = ["qq"]\nloss = "squared_error(q[b,0], ret)"', "6:1", ('wrt: "qq"', 'did you mean "q"')),
    ("a network without parameters in wrt", '[networks.p]\ninput = "q"\nlayers = ["relu"]\n[losses.x]\nwrt = ["p"]\nloss = "squared_error(p[b,0], ret)"', "9:1", ('"p" is a network without parameters',)),
    ("a network that nothing uses", '[networks.p]\ninput = "obs"\nlayers = ["dense 2"]\n[losses.x]\nwrt = ["q"]\nloss = "squared_error(q[b,0], ret)"', "5:1", ('network "p"', "no loss", "outputs")),
    ("three networks in a circle", '[networks.p]\ninput = "r"\nlayers = ["dense 2"]\n[networks.r]\ninput = "s"\nlayers = ["dense 2"]\n[networks.s]\ninput = "p"\nlayers = ["dense 2"]', "5:1", ("p -> r -> s -> p",)),
    ("two networks that copy each other", '[networks.p]\ncopy_of = "r"\n[networks.r]\ncopy_of = "p"', "6:1", ('"r" is a copy itself',)),
    ("a copy of a misspelt network", '[networks.p]\ncopy_of = "Q"', "6:1", ('no network is named "Q"', 'did you mean "q"')),
    ("a copy that reads itself", '[networks.p]\ncopy_of = "r"\n[networks.r]\ninput = "p"\nlayers = ["dense 4"]', "5:1", ("its own output: p -> p",)),
    ("a network that is not ASCII", '[networks."näme"]\ninput = "obs"\nlayers = ["dense 2"]', "5:1", ("is not ASCII",)),
    ("a network with a dash", '[networks.my-net]\ninput = "obs"\nlayers = ["dense 2"]', "5:1", ('"my-net" is not a name',)),
    ("a network named like what the module uses", '[networks.forward]\ninput = "obs"\nlayers = ["dense 1"]', "5:1", ("the generated module uses itself",)),
    ("a network given twice", '[networks.q]\ninput = "obs"\nlayers = ["dense 1"]', "5:12", ("a section stands twice",)),
    ("a network named like another's parameter", '[networks.q_W1]\ninput = "obs"\nlayers = ["dense 1"]', "2:1", ('its parameter "q_W1"', "rename yours")),
    ("a parameter in wrt as the module has it", '[networks.p]\ncopy_of = "q"\n[losses.x]\nwrt = ["p.W1"]\nloss = "squared_error(p[b,0], q[b,0])"', "8:1", ('wrt: "p.W1"', 'did you mean "p_W1"')),
    ("a wrt that is no list", '[losses.x]\nwrt = "q"\nloss = "squared_error(q[b,0], ret)"', "6:1", ('"wrt" is a list of names',)),
    ("networks misspelt", '[network.p]\ninput = "obs"\nlayers = ["dense 2"]', "5:1", ("unknown section [network.p]; write [networks.p]",)),
    ("a network without its section's head", '[p]\ninput = "obs"\nlayers = ["dense 2"]', "5:1", ("unknown section [p]; write [networks.p]",)),
    ("no loss for a network is a spec of its own, but a wrong output is none", '[losses.x]\naux = ["qq"]\nloss = "squared_error(q[b,0], ret)"', "6:1", ('"qq" is not a computed tensor', '"q"')),
)

# claim, the loss's equation, place, words
LOSSES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("an option of a function", "loss = exp(k, base=2)", "3:20", ("takes no options", "equality in a condition is ==")),
    ("an activation of too many arguments", "loss = gelu(k, 2)", "3:8", ("gelu takes 1 argument, and 2 came", "gelu(x)")),
    ("an activation without an argument", "loss = elu()", "3:8", ("elu takes 1 to 2 arguments", "elu(x, alpha)")),
    ("softmax of a scalar", "loss = softmax(k)", "3:8", ("unknown function", "logsumexp")),
    ("a network without subscripts", "loss = mean(b: q(obs))", "3:16", ("whole tensor", "q(obs)[b,i]")),
    ("a network's own output without subscripts", "loss = mean(b: q)", "3:16", ('"q" has 2 axes', "q[i,j]")),
    ("a misspelt network", "loss = mean(b: qq(obs)[b,0])", "3:16", ("applies a network", 'did you mean "q"')),
    ("a function with subscripts", "loss = mean(b: exp(obs)[b,0])", "3:16", ("exp(...)[...] applies a network",)),
    ("too few inputs", "loss = mean(b: critic(obs)[b,0])", "3:16", ("critic takes 2 inputs (obs, pair), and 1 came",)),
    ("too many inputs", "loss = mean(b: q(obs, pair)[b,0])", "3:16", ("q takes 1 input (obs), and 2 came",)),
    ("an option of a network", "loss = mean(b: q(obs, held=true)[b,0])", "3:28", ('has no option "held"',)),
    ("an unknown tensor as an input", "loss = mean(b: q(obss)[b,0])", "3:18", ('unknown tensor "obss"', 'did you mean "obs"')),
    ("an input of another width", "loss = mean(b: q(wide)[b,0])", "3:16", ("q reads 4 features", "wide has 5")),
    ("a computed input of another width", "a[b,i] = wide[b,i]**2\nloss = mean(b: q(a)[b,0])", "4:16", ("q reads 4 features", "a has 5")),
    ("a computed input of another width, defined below", "loss = mean(b: q(a)[b,0])\na[b,i] = wide[b,i]**2", "3:16", ("q reads 4 features", "a has 5")),
    ("one of several inputs of another width", "loss = mean(b: critic(wide, pair)[b,0])", "3:16", ("critic reads 4 features", "wide has 5")),
    ("an input that is int", "loss = mean(b: q(act)[b,0])", "3:16", ('input "act" is int',)),
    ("a computed input that is int", "best[b] = argmax(a: q[b,a])\nloss = mean(b: q(best)[b,0])", "4:16", ('input "best" is int',)),
    ("inputs of different rank", "loss = mean(b: critic(seq, pair)[b,0])", "3:16", ("seq has 3, pair has 2",)),
    ("an input of rank 0", "loss = mean(b: q(gamma)[b,0])", "3:16", ("gamma has 0",)),
    ("an input read at places", "loss = mean(b: q(obs[b,i])[b,0])", "3:18", ("the name of a tensor or a network applied to one",)),
    ("an expression as an input", "loss = mean(b: q(2*obs)[b,0])", "3:18", ("give anything else a name",)),
    ("too few subscripts of an application", "loss = mean(b: q(next_obs)[b])", "3:16", ("2 axes, and 1 subscript came",)),
    ("swapped axes", "loss = mean(b: q[act[b],b])", "3:25", ('contradicting sizes for index "b"', "two axes of q swapped")),
    ("a place beyond the last", "loss = mean(b: q[b,2] + critic[b,0])", "3:16", ("q[b,2] reads outside axis 2 of q",)),
    ("a real tensor as a subscript", "loss = mean(b: q[b,ret[b]] + critic[b,0])", "3:20", ('"ret" is real', "int")),
    ("swapped inputs", "loss = mean(b: critic(pair, obs)[b,0])", "3:16", ("critic reads 4 features", "pair has 2")),
    ("an input computed from its own output", "x[b,i] = q(x)[b,i]\nloss = mean(b: x[b,0] + critic[b,0])", "3:10", ("need one another",)),
    ("a function of a whole tensor, read at places", "loss = mean(b: relu(q)[b,0] + critic[b,0])", "3:16", ("relu is a function of a number", "write relu(q[b,i])")),
    ("an activation of a whole tensor", "loss = sum(b: gelu(q) + critic[b,0])", "3:20", ('"q" has 2 axes', "write q[i,j]")),
    ("softmax inside an equation", "p[b,a] = softmax(q[b,a])\nloss = sum(b: p[b,0]*critic[b,0])", "3:10", ('unknown function "softmax"', "logsumexp")),
    ("a misspelt activation inside an equation", "loss = sum(b: gellu(critic[b,0]))", "3:15", ('unknown function "gellu"', 'did you mean "gelu"')),
    ("an option that an activation has not", "loss = sum(b: elu(critic[b,0], beta=1))", "3:37", ('elu has no option "beta"', "alpha")),
    ("a method of a network", "loss = mean(b: q.forward(obs)[b,0])", "3:17", ("no attributes",)),
    ("a network that no loss reads", "loss = mean(b: critic[b,0]**2)", "6:1", ('network "q"', "no loss reads it", "outputs")),
    ("a network as a target", "q[b,a] = 0\nloss = mean(b: q[b,0])", "7:1", ('network "q"', "rename one")),
    ("a formula repeated without end", "loss = sum(t: w[0]*" + "mish(" * 12 + "w[t+1]" + ")" * 12 + ") for t < B-1", "3:35", ("give the argument a name of its own",)),
)

# claim, shared equations, place, words
EQUATIONS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("an input computed from the network", "x[b,i] = r[b,i]\nloss = mean(b: x[b,0])\n\"\"\"\n[networks.r]\ninput = \"x\"\nlayers = [\"dense 4\"]\n[losses.z]\nequations = \"\"\"loss = k", "5:1", ('input "x" is computed from the network\'s own output',)),
)

TEXTS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("a group and a network of one name", f'{Q}[params.q]\nU = "real"\n' + DECLARATIONS.replace("[params]", "[params.p]"), "2:1", ("[params.q]", "rename one")),
    ("a group named like a datum", '[params.x]\nU = "real"\n[data]\nx = "real"\n[losses.l]\nequations = "loss = x*x_U"', "1:1", ('group "x"', "datum")),
    ("an empty group", '[params.p]\n[losses.l]\nequations = "loss = 1"', "1:1", ("is empty",)),
    ("a copy of an unknown parameter", '[params]\na = "real[2] init=copy(b)"\n[losses.l]\nequations = "loss = sum(i: a[i])"', "2:1", ('no parameter is named "b"',)),
    ("a parameter that copies itself", '[params]\na = "real[2] init=copy(a)"\n[losses.l]\nequations = "loss = sum(i: a[i])"', "2:1", ("cannot copy itself",)),
    ("a parameter that copies a copy", '[params]\na = "real[2]"\nb = "real[2] init=copy(a)"\nc = "real[2] init=copy(b)"\n[losses.l]\nequations = "loss = sum(i: c[i])"', "4:1", ("b is a copy itself", "its original, a")),
    ("a copy of another shape", '[params]\na = "real[3]"\n[params.g]\nb = "real[2] init=copy(a)"\n[losses.l]\nequations = "loss = sum(i: g_b[i])"', "4:1", ("it has shape (2), and a has (3)",)),
)
# fmt: on


def cases() -> list[Bad]:
    """All of them, each claim after the name of its table."""
    layers = [(c, text, f"4:{column}", words) for c, text, column, words in LAYERS]
    tables = (
        ("layer", layers, layer),
        ("network", NETWORKS, network),
        ("second network", SECOND, second),
        ("loss", LOSSES, loss),
        ("equation", EQUATIONS, shared),
        ("file", TEXTS, str),
    )
    return [
        Bad(f"{name}: {claim}", spec(text), place, words)
        for name, rows, spec in tables
        for claim, text, place, words in rows
    ]
