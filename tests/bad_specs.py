"""Specs that must be refused: what is wrong, the text, where the error points, and what it says.

`line:column` counts from 1 in the TOML text. EQUATIONS stand in one spec, whose first equation is
on line 2; SECTIONS replace or add to its declarations; TEXTS are whole files.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True)
class Bad:
    """place is "" where the error has only the file."""

    claim: str
    text: str
    place: str
    words: tuple[str, ...]


DECLARATIONS = """
[sizes]
B = "batch"
T = "steps"
N = 4
M = 3
[functions]
sigma = 1
pair = 2
[params]
W = "real[M, N]"
c = "real[M]"
[data]
x = "real[B, N]"
s = "real[B, T]"
a = "int[B] < M"
free = "int[B]"
wide = "int[B] < N"
done = "bool[B]"
gamma = "real = 0.99"
"""


def in_spec(equations: str, declarations: str = DECLARATIONS) -> str:
    return f'equations = """\n{equations}\n"""\n{declarations}'


def deep(opening: str, inner: str, closing: str, levels: int) -> str:
    return opening * levels + inner + closing * levels


CODE = "__import__('os')"

# claim, equations, place, words
# fmt: off
EQUATIONS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    # Signs and structure.
    ("a caret is not a power", "loss = sum(b,n: x[b,n]^2)", "2:23", ("'^'", "**")),
    ("an at sign", "loss = sum(m: c[m] @ c[m])", "2:20", ("'@'", "sum(j:")),
    ("a semicolon", "loss = 1; q = 2", "2:9", ("';'", "one line")),
    ("a brace", "loss = {1}", "2:8", ("'{'", "( )")),
    ("an attribute", "loss = x.shape", "2:9", ("'.'", "`B`")),
    ("a backtick", "loss = `id`", "2:8", ("unexpected character",)),
    ("a dollar", "loss = $x", "2:8", ("unexpected character",)),
    ("no right-hand side", "loss =", "2:7", ("end of the line", "a number, a name")),
    ("no left-hand side", "= 3", "2:1", ("'='", "name of a tensor")),
    ("a number on the left", "3 = gamma", "2:1", ("'3'", "name of a tensor")),
    ("no equals sign", "loss 3", "2:6", ("'3'", "'=' or '+='")),
    ("two equals signs", "loss = gamma = 3", "2:14", ("'='", "==")),
    ("a minus-equals", "loss -= 3", "2:6", ("'-'", "'=' or '+='")),
    ("a bracket never closed", "loss = (1 + 2", "2:8", ("'('", "never closed")),
    ("a bracket never opened", "loss = 1 + 2)", "2:13", ("')'", "never opened")),
    ("brackets that cross", "loss = sum(m: c[m)]", "2:18", ("')'", "'['")),
    ("a product without a star", "loss = 2gamma", "2:8", ("2*gamma",)),
    ("two names side by side", "loss = gamma gamma", "2:14", ("'gamma'", "product", "*")),
    ("an operator at the end", "loss = gamma *", "2:15", ("end of the line",)),
    ("two operators", "loss = gamma * / 2", "2:16", ("'/'",)),
    ("an empty call", "loss = exp()", "2:8", ("exp takes 1 argument", "0 came")),
    ("empty subscripts", "loss = x[]", "2:11", ("empty subscripts",)),
    ("an argument left out", "loss = minimum(1,,2)", "2:18", ("','",)),
    ("subscripts of subscripts", "loss = sum(b,n: x[b][n])", "2:21", ("'['",)),
    ("a call of a value", "loss = (gamma)(2)", "2:15", ("'('", "*")),
    ("a string", "loss = 'gamma'", "2:8", ("unexpected character",)),
    ("a number too long", f"loss = {'1' * 5000}", "2:8", ("400 digits",)),
    ("an exponent too large", "loss = 1e999999", "2:8", ("exponent",)),
    ("a tower of powers", "loss = 9**9**9", "2:9", ("exponent beyond 1000",)),
    ("a power of a long number", "loss = (2**1000)**1000", "2:17", ("too large",)),
    ("a division by zero", "loss = gamma/0", "2:14", ("zero",)),
    ("a division by what cancels", "loss = 1/(gamma - gamma)", "2:11", ("zero",)),
    ("a root of a negative number", "loss = sqrt(-2)", "2:8", ("not real",)),
    # What people write elsewhere.
    ("softmax", "p[b,n] = softmax(x[b,n])\nloss = p[0,0]", "2:10", ('"softmax"', "exp(q[b,a] - logsumexp(v: q[b,v]))")),
    ("softmax that binds", "p[b,n] = softmax(n: x[b,n])\nloss = p[0,0]", "2:10", ("binds no index", "exp(q[b,a] - logsumexp(v: q[b,v]))")),
    ("log_softmax", "loss = log_softmax(c[0])", "2:8", ("`q[b,a] - logsumexp(v: q[b,v])`",)),
    ("relu6", "loss = relu6(gamma)", "2:8", ("clip(x, 0, 6)",)),
    ("a function with a capital", "loss = ReLU(gamma)", "2:8", ('did you mean "relu"?',)),
    ("mean without an index", "loss = mean(x[b,n])", "2:8", ("mean(b,n: x[b,n])",)),
    ("sum over what is not on the left", "h[b] = sum(x[b,n])\nloss = h[0]", "2:8", ("sum(n: x[b,n])",)),
    ("a comma where an index is bound", "loss = mean(b, x[b,0])", "2:8", ("with a colon: mean(b: ...)",)),
    ("an index bound by `in`", "loss = sum(b in B: x[b,0])", "2:14", ("'in'", "sum(i: x[i])")),
    ("an index bound by a semicolon", "loss = mean(b; x[b,0])", "2:14", ("';'", "mean(b: x[b])")),
    ("a reduction in brackets", "loss = mean[b: x[b,0]]", "2:12", ("( )", "mean(i: x[i])")),
    ("a norm", "loss = norm(c)", "2:8", ("sqrt(sum(i: w[i]**2))",)),
    ("a dot product", "loss = dot(c, c)", "2:8", ("sum(i: w[i]*x[b,i])",)),
    ("a matrix product", "loss = matmul(W, x)", "2:8", ("sum(j: W[i,j]*x[b,j])",)),
    ("pi in small letters", "loss = 2*pi", "2:10", ('"pi"', "`PI`")),
    ("e", "loss = e**2", "2:8", ("`exp(1)`",)),
    ("a module's function", "loss = np.exp(gamma)", "2:10", ("'.'", "without a module's name")),
    ("a method", "loss = x.sum()", "2:9", ("'.'", "sum(i: x[i])")),
    ("a transpose", "loss = W.T", "2:9", ("swaps subscripts", "W[j,i]")),
    ("a transpose by a prime", "loss = W'", "2:8", ("prime", "[functions]")),
    ("detach", "loss = detach(gamma)", "2:8", ("stop(x)",)),
    ("an equality for an equation", "loss == 3", "2:6", ("'=='", "one =")),
    ("a walrus", "loss := 3", "2:6", ("':'", "plain =")),
    ("axes in round brackets on the left", "h(b) = x[b,0]\nloss = h[0]", "2:2", ("'('", "[ ]")),
    ("a magnitude between bars", "loss = |gamma|", "2:8", ("'|'", "abs(x)")),
    ("two bars", "loss = [gamma < 1 || gamma > 2]", "2:19", ("'|'", "write or")),
    ("an exclamation mark", "loss = sum(b: [!done[b]])", "2:16", ("'!'", "not")),
    ("a word in capitals", "loss = sum(b: [done[b] AND done[b]])", "2:24", ("'AND'", "write and")),
    ("True", "loss = where(True, 1, 2)", "2:14", ('"True"', "done[b]")),
    ("an equality with false", "loss = sum(b: [done[b] == false])", "2:27", ('"false"', "not done[b]")),
    ("an if", "loss = 1 if gamma > 0 else 0", "2:10", ("'if'", "where(x > 0, x, y)")),
    ("an if as an operand", "loss = if gamma > 0 then 1 else 0", "2:8", ("'if'", "where(x > 0, x, y)")),
    ("a slice", "loss = max(x[0,:])", "2:16", ("':'", "no slices")),
    ("a mean as Python writes it", "h[b] = x[b,0]\nloss = mean(h, b)", "3:8", ("as mean(b: h[b])",)),
    ("a tensor without its letter", "h[b] = x[b,0]\nloss = -h", "3:9", ("write h[b]",)),
    ("an index with its bound", "loss = sum(i<4: c[i])", "2:15", ("an index is bound by its name alone, as in sum(i: x[i])",)),
    ("an equation that goes on without a bracket", "loss = gamma\n + 1", "3:2", ("'+'", "goes on over lines while a bracket is open")),
    ("an equation that breaks at an operator", "loss = gamma +\n1", "2:15", ("the end of the line", "goes on over lines while a bracket is open")),
    ("a comment between stars", "loss = gamma /* the loss */", "2:15", ("'*'", "a comment begins with #")),
    ("a whole division of tensors", "loss = sum(b: x[b,0]//2)", "2:15", ("a size was expected", "divides with /")),
    ("an import", "import numpy as np\nloss = 1", "2:8", ("'numpy'", "a name, = and an expression")),
    ("a sum as Python writes it", "loss = sum(x[b,0] for b in range(2))", "2:19", ("'for'", "an index stands in front: `sum(i: x[i])`")),
    ("a list as Python writes it", "loss = sum([x[b,0] for b in range(2)])", "2:20", ("'for'", "`sum(i: x[i])`")),
    ("a comment behind //", "loss = gamma // the loss.", "2:25", ("'.'", "a comment begins with #")),
    ("a comment of several words behind //", "loss = gamma // the loss", "2:21", ("'loss'", "a comment begins with #")),
    ("a comment of one word behind //", "loss = gamma // loss2", "2:17", ('"loss2"', "a comment begins with #")),
    ("a line that is a comment behind //", "// the loss\nloss = gamma", "2:1", ("'//'", "a comment begins with #")),
    ("a comment behind %", "loss = gamma % the loss", "2:14", ("'%'", "a comment begins with #")),
    ("a `for` inside brackets", "loss = mean(b: x[b,0] for b < B)", "2:23", ("'for'", "outside all brackets")),
    ("a place from the end", "loss = c[-1]", "2:8", ("outside", "the last one is M-1")),
    ("a keyword as a name", "loss = lambda*gamma", "2:8", ('"lambda"', "Python keyword")),
    ("a true minus", "loss = \u2212gamma", "2:8", ("MINUS SIGN", "write -")),
    ("a dot for a product", "loss = gamma\u00b7gamma", "2:13", ("MIDDLE DOT", "write *")),
    ("a raised two", "loss = gamma\u00b2", "2:13", ("SUPERSCRIPT TWO", "x**2")),
    ("a Greek sum", "loss = \u2211(b: x[b,0])", "2:8", ("N-ARY SUMMATION", "sum(i: x[i])")),
    ("a Greek lambda", "loss = \u03bb", "2:8", ("LAMDA", "lam")),
    ("a pi of its own", "loss = \u03c0", "2:8", ("`PI`",)),
    ("a space that is none", "loss =\u00a03", "2:7", ("NO-BREAK SPACE", "a plain space")),
    ("a sum over a letter that is taken", "h[b,n] = exp(x[b,n])/sum(exp(x[b,n]))\nloss = h[0,0]", "2:22", ("sum(i: ...)", "not bound around it")),
    ("logsumexp of a row", "h[b] = logsumexp(x[b])\nloss = h[0]", "2:8", ("logsumexp(i: x[b,i])",)),
    ("a loop", "for b in range(B):\nloss = 1", "2:5", ("no loops",)),
    ("a let", "let loss = 1", "2:5", ("a name, = and an expression",)),
    ("a tensor written anew", "h[b] = x[b,0]\nh[b] = relu(h[b])\nloss = h[0]", "3:1", ("assigned twice", "a new name")),
    ("a bool without its sample", "loss = sum(b: 1 - done)", "2:19", ("1 axis", "write done[b]")),
    ("a size for an index", "h[b] = gamma*s[0,B]\nloss = h[0]", "2:1", ("no range", "is b meant in s[0,B]?")),
    ("a subscript left out", "loss = sum(b: x[b])", "2:15", ("2 axes", "write x[b,i]")),
    # Depth and length.
    ("brackets 10,000 deep", f"loss = {deep('(', '1', ')', 10_000)}", "2:208", ("200 levels",)),
    ("10,000 minus signs", f"loss = {'-' * 10_000}1", "2:208", ("200 levels",)),
    ("calls 10,000 deep", f"loss = {deep('exp(', '1', ')', 10_000)}", "2:808", ("200 levels",)),
    ("powers 10,000 high", f"loss = {'gamma**' * 8_000}2", "2:1408", ("200 levels",)),
    ("`not` 10,000 times", f"loss = where({'not ' * 10_000}1 < 2, 1, 2)", "2:810", ("200 levels",)),
    ("subscripts 10,000 deep", f"loss = {deep('x[', '1', ']', 10_000)}", "2:408", ("200 levels",)),
    ("masks 10,000 deep", f"loss = {deep('[', '1', ']', 10_000)}", "2:208", ("200 levels",)),
    ("sums 10,000 deep", f"loss = {deep('sum(i:', '1', ')', 9_000)}", "2:1208", ("200 levels",)),
    ("quotients 10,000 long", f"loss = N{'//2' * 10_000}", "2:609", ("200 levels",)),
    ("an equation of 65 kB", f"loss = 1{' + 1' * 16_500}", "2:1", ("64 kB",)),
    ("an equation of 1 MB", f"loss = 1{'+1' * 520_000}", "2:1", ("64 kB",)),
    ("a comparison 1,000 long", f"loss = [{'1 < ' * 1_000}2]", "2:11", ("50 conditions",)),
    # Names.
    ("a dunder on the left", "__class__ = 1\nloss = 1", "2:1", ("underscore",)),
    ("two underscores inside", "a__b = 1\nloss = 1", "2:1", ("two underscores",)),
    ("a reduction's name on the left", "mean = 1\nloss = 1", "2:1", ("reduction of the notation",)),
    ("a size on the left", "N = 3\nloss = 1", "2:1", ("is a size",)),
    ("a parameter on the left", "c[m] = 3\nloss = 1", "2:1", ("[params] or [data]",)),
    ("a declared function on the left", "sigma = 3\nloss = 1", "2:1", ("[functions]",)),
    ("primes on the left", "h' = 3\nloss = 1", "2:1", ("not a name",)),
    ("a non-ASCII name", "lo\u00dfs = 1", "2:3", ("'\\xdf'", "not ASCII")),
    ("a full-width letter", "\uff4coss = 1", "2:1", ("not ASCII", "write l")),
    ("a Greek letter", "loss = \u03b3", "2:8", ("not ASCII", "spell it gamma")),
    ("an Arabic digit", "loss = \u0663", "2:8", ("not ASCII",)),
    ("code as a function", "loss = __import__(1)", "2:8", ("unknown function", "known: ")),
    ("code as a read", "loss = __builtins__[1]", "2:8", ("unknown tensor",)),
    ("eval as a function", "loss = eval(gamma)", "2:8", ("unknown function", "eval")),
    ("a name too long", f"{'h' * 65} = 1\nloss = 1", "2:1", ("65 characters", "64")),
    ("an adjoint's name", "h = 1\ndh = 2\nloss = h", "3:1", ("adjoint", '"h"')),
    # Unknown things.
    ("an unknown function", "loss = tanhh(gamma)", "2:8", ('"tanhh"', 'did you mean "tanh"?')),
    ("an unknown tensor", "loss = sum(b: xx[b,0])", "2:15", ('"xx"', 'did you mean "x"?')),
    ("an unknown name", "loss = gama", "2:8", ('"gama"', 'did you mean "gamma"?')),
    ("a tensor never defined", "loss = h[0]", "2:8", ("neither declared nor defined",)),
    ("an unknown size in a range", "h[i] = 1 for i < Q\nloss = h[0]", "2:18", ('unknown size "Q"',)),
    ("a reduction misspelt", "loss = meen(b: x[b,0])", "2:8", ("binds no index", '"mean"')),
    ("a tensor called like a function", "loss = sum(b: a(b))", "2:15", ("is a tensor", "[ ]")),
    ("a function read like a tensor", "loss = exp[0]", "2:8", ("is a function", "( )")),
    ("a size read like a tensor", "loss = N[0]", "2:8", ("is a size",)),
    ("a function without arguments", "loss = exp", "2:8", ("without its arguments",)),
    ("primes of a known function", "loss = tanh'(gamma)", "2:8", ("[functions]",)),
    ("a prime that names no argument", "loss = pair'(1,2)", "2:8", ("f'1(x,y)",)),
    ("too many arguments", "loss = sigma(1,2)", "2:8", ("1 argument", "2 came")),
    ("clip of two values", "loss = clip(gamma, 1)", "2:8", ("clip takes 3 arguments",)),
    # Two values where an index is meant, and the reverse.
    ("max of two values", "loss = max(gamma, 1)", "2:8", ('did you mean "maximum"?', "maximum(gamma, 1)")),
    ("min of two values", "loss = min(gamma, 1)", "2:8", ('did you mean "minimum"?',)),
    ("max of one value", "loss = max(gamma)", "2:8", ("needs the index",)),
    ("sum without an index", "loss = sum(c)", "2:8", ("sum(i: c[i])",)),
    ("max over two indices", "loss = max(b,n: x[b,n])", "2:8", ("exactly one index",)),
    ("argmax over two indices", "loss = argmax(b,n: x[b,n])", "2:8", ("exactly one index",)),
    # Indices.
    ("an unbound index", "loss = x[b,0]", "2:10", ('"b" is not bound', "sum(b: ...)")),
    ("a forgotten mean", "loss = (x[b,0] - 1)**2", "2:11", ('"b" is not bound: bind it with mean(b: ...) or sum(b: ...)',)),
    ("a left index forgotten", "h[b] = x[b,n]\nloss = h[0]", "2:12", ('"n" is not bound', "or put it on the left")),
    ("an action without its sample", "loss = sum(b: c[a])", "2:17", ('"a" is a tensor', "write a[b]")),
    ("an unbound index in an unknown function", "loss = soft(x[b,0])", "2:8", ('unknown function "soft"',)),
    ("an unbound index beside a sum", "loss = sum(b: x[b,n])", "2:19", ('"n" is not bound',)),
    ("an index bound twice", "loss = sum(b: sum(b: x[b,0]))", "2:19", ("bound twice",)),
    ("an index bound twice in one list", "loss = sum(b,b: x[b,0])", "2:14", ("bound twice",)),
    ("a left index bound again", "h[b] = sum(b: x[b,0])\nloss = h[0]", "2:12", ("bound twice",)),
    ("a size as an index", "loss = sum(N: c[N])", "2:12", ("is a size and an index",)),
    ("a rank-0 tensor as an index", "loss = sum(gamma: c[gamma])", "2:12", ("is a tensor and an index",)),
    ("a real tensor as a subscript", "loss = c[gamma]", "2:10", ("tensor", "index")),
    ("a read of a real tensor as a subscript", "loss = sum(b: x[b,x[b,0]])", "2:19", ("is real", "int[...] < N")),
    ("a bool as a subscript", "loss = sum(b: c[done[b]])", "2:17", ("is bool", "int[...] < 2")),
    ("an int without a bound as a subscript", "loss = sum(b: c[free[b]])", "2:17", ("upper bound",)),
    ("an affine form of a gather", "loss = sum(b: c[a[b]+1])", "2:17", ("one integer tensor alone",)),
    ("a product of indices", "loss = sum(i,j: c[i*j])", "2:21", ("not affine",)),
    ("a broken subscript", "loss = c[0.5]", "2:10", ("whole number",)),
    ("a comparison as a subscript", "loss = c[1 < 2]", "2:12", ("size was expected",)),
    ("an index divided", "loss = sum(i: c[i//2])", "2:18", ("//", "index")),
    ("pad in a subscript", "loss = sum(b: c[pad(a[b])])", "2:17", ("pad(...)",)),
    ("pad of an expression", "loss = pad(1 + gamma)", "2:8", ("one read",)),
    # Ranges and sizes.
    ("no range for an index", "h[i] = 1\nloss = h[0]", "2:1", ("no range for index", "for i < ...")),
    ("no range because of a cycle", "h[b] = g[b]\ng[b] = 2*h[b]\nloss = h[0]", "2:1", ("h[b] -> g[b]", "without a shift")),
    ("no range because it reads itself", "h[b,k] = h[b,k]*gamma\nloss = h[0,0]", "2:1", ("h[b,k]", "without a shift")),
    ("no range because of a second equation", "h[i] = 1\nh[j] = gamma\nloss = h[0]", "3:1", ("assigned twice", "h[i] in line 2")),
    ("no range for a recurrence", "h[0] = 1\nh[t+1] = gamma*h[t]\nloss = h[0]", "3:1", ("no range", "for t < ...")),
    ("a recurrence from below", "h[b,t] = s[b,t] + gamma*h[b,t-1]\nloss = h[0,0]", "2:25", ("outside", "h[0] = ...")),
    ("no range for a shifted index", "h[t] = s[0,t+1]\nloss = h[0]", "2:1", ("no range", '"t"')),
    ("contradicting sizes", "loss = sum(i: c[i]*x[0,i])", "2:24", ("size M", "size N")),
    ("swapped axes", "h[b,m] = sum(n: W[n,m]*x[b,n])\nloss = h[0,0]", "2:28", ("contradicting sizes", "W[M, N] has size M on axis 1", "x[B, N] has size N on axis 2", "axes of W swapped")),
    ("two ranges for one index", "h[i] = 1 for i < 2, i < 3\nloss = h[0]", "2:21", ("two ranges",)),
    ("a range for an index that is not there", "loss = gamma for i < 3", "2:18", ('"i"', "does not use")),
    ("a range that is no range", "h[i] = 1 for i\nloss = 1", "2:14", ("for i < hi",)),
    ("a range that ends with <=", "h[i] = 1 for 0 <= i <= 3\nloss = 1", "2:21", ("'<='", "lo <= i < hi")),
    ("an empty range", "h[i] = 1 for 3 <= i < 2\nloss = 1", "2:19", ("empty",)),
    ("a range of an index", "h[i,j] = 1 for i < 3, j < i\nloss = 1", "2:27", ('unknown size "i"',)),
    ("sizes divided with one slash", "h[i] = 1 for i < N/2\nloss = 1", "2:20", ("//",)),
    ("a size divided by zero", "h[i] = 1 for i < N//0\nloss = 1", "2:19", ("at least 1",)),
    ("too few subscripts", "loss = sum(b: x[b])", "2:15", ("2 axes", "1 subscript came")),
    ("too many subscripts", "loss = sum(m: c[m,0])", "2:15", ("1 axis", "2 subscripts came")),
    ("no subscripts", "loss = c", "2:8", ("without subscripts",)),
    ("other ranks on the left", "h[m] = c[m]\nh[m,n] = W[m,n]\nloss = h[0]", "3:1", ("2 subscripts", "1 elsewhere")),
    ("a read out of range", "h[b,t] = s[b,t+1] for t < T\nloss = h[0,0]", "2:10", ("outside", "for t < T-1", "pad(s[...])")),
    ("a read below 0", "h[b,t] = s[b,t-1] for t < T\nloss = h[0,0]", "2:10", ("outside", "0 <= -1")),
    ("a read past a fixed size", "loss = c[7]", "2:8", ("outside", "7 < M")),
    ("a gather past the end", "loss = sum(b: c[wide[b]])", "2:15", ("outside", "N <= M", "default sizes")),
    ("a write below 0", "h[n-1] = x[0,n]\nloss = h[0]", "2:1", ("outside",)),
    ("a scatter without a shape", "h[a[b]] += x[b,0]\nloss = h[0]", "2:1", ("[tensors]",)),
    ("a padded write without a shape", "pad(h[n+1]) += x[0,n]\nloss = h[0]", "2:1", ("padded", "[tensors]")),
    # Definitions.
    ("a tensor assigned twice", "h[m] = c[m]\nh[m] = 2*c[m]\nloss = h[0]", "3:1", ("assigned twice", "h[m] in line 2")),
    ("places that overlap", "h[0] = 1\nh[m] = c[m]\nloss = h[0]", "3:1", ("assigned twice",)),
    ("an equation that assigns a place twice", "h[m+n] = W[m,n]\nloss = h[0]", "2:1", ("twice", "+=")),
    ("a scatter that assigns", "h[a[b]] = x[b,0]\nloss = h[0]", "2:1", ("may repeat", "+=")),
    ("a logsumexp with a second term", "h[b] = logsumexp(n: x[b,n])\nh[b] += 1\nloss = h[0]", "3:1", ("exactly one equation",)),
    ("a cycle of one", "h = h + 1\nloss = h", "2:1", ("without a shift",)),
    ("a cycle of two", "h = q\nq = h\nloss = h", "2:1", ("h -> q",)),
    ("a cycle that reads both ways", "h[b,t] = s[b,t] + pad(h[b,t+1]) + pad(h[b,t-1])\nloss = h[0,0]", "2:1", ("without a shift",)),
    ("a loss that is not a scalar", "loss[b] = x[b,0]", "2:1", ("shape (B)", "loss = mean(b: ...) or loss = sum(b: ...)")),
    ("a loss of two axes that is not a scalar", "loss[b,t] = s[b,t]", "2:1", ("shape (B, T)", "mean(b,t: ...)")),
    ("a loss with a capital", "Loss = gamma", "2:1", ('"Loss"', 'did you mean "loss"?')),
    ("a loss misspelt", "los = gamma", "2:1", ('"los"', 'did you mean "loss"?')),
    ("a loss of another name", "J = gamma", "", ("nothing to compute", "defined: J")),
    ("an integer loss", "loss = argmax(n: x[0,n])", "2:1", ("kind int",)),
    ("nothing to compute", "h[m] = c[m]", "", ("nothing to compute",)),
    # Conditions.
    ("a comparison as a number", "loss = 1 + (gamma < 1)", "2:19", ("where", "[a < b]")),
    ("a number as a condition", "loss = where(gamma, 1, 2)", "2:14", ("condition was expected",)),
    ("a number as a mask", "loss = [gamma]", "2:9", ("condition was expected",)),
    ("where without an else", "loss = where(gamma < 1, 2)", "2:8", ("where takes 3", "2 came")),
    ("an ampersand", "loss = [gamma < 1 & gamma > 0]", "2:19", ("'&'", "and")),
    ("an assignment in a condition", "loss = [gamma = 1]", "2:15", ("'='",)),
)

# claim, declarations, place, words; the equation is loss = 1
SECTIONS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("an unknown section", "[sizs]\nB = 2", "4:1", ('"sizs"', 'did you mean "sizes"?')),
    ("layers that are text", '[networks.q]\ninput = "x"\nlayers = "dense 2"', "6:1", ("a list", 'layers = ["dense 64 tanh", "dense 2"]')),
    ("a network without an input", "[networks.policy]\nlayers = []", "4:1", ("no input", 'input = "obs"')),
    ("a size of zero", "[sizes]\nB = 0", "5:1", ("at least 1", "0 came")),
    ("a size below zero", "[sizes]\nB = -3", "5:1", ("-3 came",)),
    ("a broken size", "[sizes]\nB = 2.5", "5:1", ("2.5 came", 'B = "real = 2.5"')),
    ("a size that is true", "[sizes]\nB = true", "5:1", ("True came",)),
    ("a size too large", "[sizes]\nB = 99999999999999999999", "5:1", ("came",)),
    ("a size in quotes", '[sizes]\nB = "4"', "5:6", ("without quotes",)),
    ("a size of an unknown size", '[sizes]\nL = 4\nU = "(L + Q)//2"', "6:11", ('unknown size "Q"',)),
    ("a size of a later size", '[sizes]\nU = "=L + 1"\nL = 4', "5:7", ('unknown size "L"',)),
    ("a size that comes out below 1", '[sizes]\nL = 4\nU = "L - 9"', "6:1", ("below 1", "default sizes")),
    ("a size with a slash", '[sizes]\nL = 4\nU = "L/2"', "6:8", ("//",)),
    ("an unknown kind", '[data]\nx = "float[3]"', "5:6", ("'float'", "write real")),
    ("a declaration without quotes", "[params]\nW = real[H, 4]", "5:5", ("not TOML", 'declarations are strings: W = "real[H, 4]"')),
    ("a description without quotes", "[sizes]\nB = batch", "5:5", ("not TOML", 'B = "batch"')),
    ("an expression without quotes", "[sizes]\nB = 3\nU = B//2", "6:5", ("not TOML", 'U = "B//2"')),
    ("a number as a declaration", "[data]\ngamma = 0.99", "5:1", ("0.99 came", 'gamma = "real = 0.99"')),
    ("a list as a declaration", "[data]\nx = [3, 4]", "5:1", ('x = "real[3, 4]"',)),
    ("a bool as a declaration", "[data]\ndone = true", "5:1", ('done = "bool"',)),
    ("axes in round brackets", '[data]\nx = "real(3, 4)"', "5:10", ("'('", "[ ]")),
    ("axes in brackets each", '[data]\nx = "real[3][4]"', "5:13", ("'['", "one pair")),
    ("a lower bound that is not 0", '[data]\nx = "real > 1"', "5:6", ("a lower bound is 0, as in real > 0",)),
    ("a lower bound that is no number", '[data]\nx = "real > B"', "5:13", ("a number such as",)),
    ("a default below its bound", '[data]\nx = "real > 0 = -1"', "5:6", ("the default is not above 0",)),
    ("a default at its bound", '[data]\nx = "real > 0 = 0"', "5:6", ("the default is not above 0",)),
    ("an int with a lower bound", '[data]\nx = "int[3] > 0"', "5:6", ("only real data have a lower bound",)),
    ("a parameter with a lower bound", '[params]\nw = "real > 0"', "5:6", ("only real data have a lower bound", "exp(x)")),
    ("a bound that is reached", '[data]\nx = "int[3] <= 1"', "5:13", ("'<='", "< 2 is 0 or 1")),
    ("xavier", '[params]\nW = "real[3] init=xavier"', "5:19", ("glorot_uniform",)),
    ("kaiming", '[params]\nW = "real[3] init=kaiming_normal"', "5:19", ("he_normal",)),
    ("equations below a section", '[data]\nx = "real"\nequations = "loss = x"', "6:1", ("above the first [section]",)),
    ("equations below the sizes", '[sizes]\nB = "batch"\nequations = "loss = 3"', "6:1", ("above the first [section]",)),
    ("outputs below a section", '[data]\nx = "real"\noutputs = ["x"]', "6:1", ("above the first [section]",)),
    ("a section of another name", '[parameters]\nw = "real"', "4:1", ('"parameters"', "[params]")),
    ("inputs", '[inputs]\nw = "real"', "4:1", ('"inputs"', "[data]")),
    ("a loss for losses", '[loss.actor]\nequations = "loss = 1"', "4:1", ("unknown section [loss.actor]; write [losses.actor]",)),
    ("a network without a name", '[networks]\ninput = "x"\nlayers = ["dense 2"]', "4:1", ("[networks] holds sections: write [networks.NAME]",)),
    ("a loss without a name", '[losses]\nequations = "loss = 1"', "4:1", ("[losses] holds sections: write [losses.NAME]",)),
    ("a loss without its section's head", '[actor]\nequations = "loss = 1"', "4:1", ("unknown section [actor]; write [losses.actor]",)),
    ("a section for a datum", '[data.y]\nkind = "real"', "4:1", ("a section came", 'write y = "real[B, 4]"')),
    ("a section twice", '[data]\nx = "real"\n[data]\ny = "real"', "6:6", ("not TOML", "a section stands twice")),
    ("a section never closed", '[data\nx = "real"', "4:6", ("not TOML", "between [ and ]")),
    ("a colon for an equals sign", '[data]\nx: "real"', "5:2", ("not TOML", "name = value")),
    ("a name with a plus", '[data]\nx_t+1 = "real"', "5:4", ("not TOML", "letters, digits and _")),
    ("a Greek key", '[data]\n\u03b3 = "real"', "5:1", ("not TOML", "spell it gamma")),
    ("a declared function by its argument", '[functions]\nf = "f(x)"', "5:1", ("number of arguments",)),
    ("an empty type", '[data]\nx = ""', "5:6", ("end of the line", "a type")),
    ("a type that is a number", "[data]\nx = 3", "5:1", ("a string", "3 came")),
    ("a type of an unknown size", '[data]\nx = "real[Q]"', "5:11", ('unknown size "Q"',)),
    ("a type with an index", '[data]\nx = "real[2.5]"', "5:11", ("whole number",)),
    ("an empty shape", '[data]\nx = "real[]"', "5:12", ("empty subscripts",)),
    ("a type that goes on", '[data]\nx = "real[3] please"', "5:14", ("'please'", "end of the type")),
    ("a bound of a real", '[data]\nx = "real[3] < 2"', "5:6", ("only an int",)),
    ("a default of a vector", '[data]\nx = "real[3] = 2"', "5:6", ("rank-0",)),
    ("a default that is a name", '[data]\nx = "real = PI"', "5:13", ("a number such as 0.25 was expected",)),
    ("a default of a parameter", '[params]\nx = "real = 2"', "5:6", ("init=constant",)),
    ("an initialisation of data", '[data]\nx = "real[3] init=zeros"', "5:6", ("only [params]",)),
    ("an unknown initialisation", '[params]\nx = "real[3] init=zero"', "5:19", ('did you mean "zeros"?',)),
    ("constant without a value", '[params]\nx = "real[3] init=constant"', "5:19", ("constant(0.5)",)),
    ("zeros with a value", '[params]\nx = "real[3] init=zeros(1)"', "5:19", ("takes 0",)),
    ("an orthogonal vector", '[params]\nx = "real[3] init=orthogonal(1)"', "5:6", ("2 axes",)),
    ("an integer parameter", '[params]\nx = "int[3]"', "5:6", ("a parameter is real",)),
    ("code in a type", f'[data]\nx = "{CODE}"', "5:17", ("unexpected character",)),
    ("one name in two sections", '[sizes]\nB = 2\n[data]\nB = "real"', "7:1", ("[sizes]", "[data]")),
    ("an adjoint's name as data", '[params]\nx = "real"\n[data]\ndx = "real"', "7:1", ("adjoint", '"x"')),
    ("an adjoint's name as a size", '[params]\nx = "real"\n[sizes]\ndx = 2', "7:1", ("adjoint",)),
    ("a function of no argument", "[functions]\nsigma = 0", "5:1", ("1 to 9",)),
    ("a function of text", '[functions]\nsigma = "x"', "5:1", ("a whole number",)),
    ("a shape that nothing defines", '[tensors]\nh = "real[3]"', "5:1", ("no equation",)),
    ("a computed int declared", '[tensors]\nloss = "int"', "5:9", ("real",)),
    ("a loss that is no table", "[losses]\nactor = 3", "5:1", ("a table",)),
    ("a loss with an unknown key", '[losses.actor]\nequation = "loss = 1"', "5:1", ('did you mean "equations"?',)),
    ("nothing to differentiate by", "[sizes]\nB = 2", "1:1", ("nothing to be differentiated by",)),
)

# claim, text, place, words
TEXTS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("text that is not TOML", "equations = loss", "1:13", ("not TOML",)),
    ("swapped axes of equal defaults", 'equations = "loss = sum(i,j: W[j,i]*y[i]*x[j])"\n[sizes]\nN = 4\nM = 4\n[params]\nW = "real[N, M]"\n[data]\nx = "real[M]"\ny = "real[N]"', "1:39", ("contradicting sizes", "size M", "size N", "two axes of W swapped")),
    ("a string never closed", 'equations = """\nloss = 1\n', "1:13", ("not TOML", "never closed")),
    ("a key twice", 'outputs = []\noutputs = []\n', "2:13", ("not TOML", "given twice")),
    ("arrays 10,000 deep", f"a = {'[' * 10_000}", "", ("nested too deeply",)),
    ("a key of many parts", f"a{'.a' * 5_000} = 1", "1", ("50 parts",)),
    ("a number of many digits", f"a = {'1' * 10_000}", "", ("number too long",)),
    ("a file of more than 1 MB", f"# {'x' * 1_100_000}", "", ("1024 kB",)),
    ("an empty file", "", "", ("nothing to compute",)),
    ("equations that are a list", 'equations = ["loss = 1"]', "1:1", ("a string", "one equation a line", "came")),
    ("equations without quotes", "equations = q[b] = 3", "1:13", ("not TOML", "between two lines")),
    ("an equation outside the string", "loss = mean(b: x[b])", "1:8", ("not TOML", 'lines of """')),
    ("equations in single quotes", 'equations = "\nloss = 3\n"', "1:14", ("not TOML", "several lines")),
    ("LaTeX", 'equations = """\nloss = \\sum x\n"""', "2:10", ("not TOML", "no LaTeX")),
    ("LaTeX that is an escape", 'equations = """\nloss = \\frac(1)\n"""', "2:8", ("no LaTeX",)),
    ("wrt that is text", 'wrt = "W"\nequations = "loss = 1"', "1:1", ('wrt = ["W", "c"]', "'W' came")),
    ("wrt without quotes", 'wrt = [W]\nequations = "loss = 1"', "1:8", ("not TOML", 'wrt = ["W"]')),
    ("JSON", '{"sizes": {}}', "1:1", ("not TOML", "JSON")),
    ("outputs that are text", 'outputs = "h"\nequations = "h = 1"', "1:1", ("a list of names",)),
    ("an output that is a number", 'outputs = [3]\nequations = "h = 1"', "1:1", ("names", "3 came")),
    ("an unknown output", 'outputs = ["hh"]\nequations = "h = 1"', "1:1", ('"hh"', 'did you mean "h"?')),
    ("an output twice", 'outputs = ["h", "h"]\nequations = "h = 1"', "1:1", ("twice",)),
    ("an unknown aux", 'aux = ["q"]\nequations = "loss = 1"\n[params]\np = "real"', "1:1", ('"q"',)),
    ("an unknown wrt", 'wrt = ["q"]\nequations = "loss = p"\n[params]\np = "real"', "1:1", ('"q"', "real tensor")),
    ("wrt a computed tensor", 'wrt = ["h"]\nequations = """\nh = p\nloss = h\n"""\n[params]\np = "real"', "1:1", ('"h"',)),
    ("wrt an int", 'wrt = ["k"]\nequations = "loss = k"\n[data]\nk = "int"', "1:1", ('"k"',)),
    ("a loss without a loss", '[losses.actor]\nequations = "h = p"\n[params]\np = "real"', "1:1", ("has no equation loss = ...", "defined: h")),
    ("a loss by nothing", 'wrt = []\nequations = "loss = p"\n[params]\np = "real"', "1:1", ("wrt = [] says that there is no loss",)),
    ("an unknown wrt of a loss", '[losses.one]\nwrt = ["q"]\nequations = "loss = p"\n[params]\np = "real"', "2:1", ('"q"',)),
    ("a size by name", "sizes = 3", "1:1", ("a table", "3 came")),
    ("code in an output", f'outputs = ["{CODE}"]\nequations = "h = 1"', "1:1", ("__import__",)),
    ("an error on one line", 'equations = "loss = tanhh(1)"\n', "1:21", ("tanhh",)),
    ("an error in a literal string", "equations = '''\n\n  loss = tanhh(1)\n'''\n", "3:10", ("tanhh",)),
    ("an error in a loss", '[losses.one]\nequations = """\nloss = tanhh(1)\n"""\n', "3:8", ("tanhh",)),
    ("a loss that writes a shared tensor", 'equations = "h = 1"\n[losses.one]\nequations = "h = 2\\nloss = h"', "3:14", ("shared equations",)),
    ("a requirement that is no bound", 'require = ["T"]\nequations = "loss = 1"', "1:1", ("T >= 2",)),
)

# what, the name, what is said of it wherever it stands
NAMES: tuple[tuple[str, str, str], ...] = (
    ("a keyword", "lambda", "keyword"),
    ("a builtin", "eval", "builtin"),
    ("a word of the notation", "PI", "word of the notation"),
    ("a function of the notation", "tanh", "function of the notation"),
    ("a name of the module's own", "grads", "generated module"),
    ("NumPy's name", "np", "generated module"),
    ("a letter that is not ASCII", "\u00df", "not ASCII"),
    ("a leading underscore", "_x", "underscore"),
    ("code", CODE, ""),
)

# the role, line and column, the text; code in an equation is refused at its first quote
ROLES: tuple[tuple[str, int, int, str], ...] = (
    ("a tensor", 2, 1, in_spec("{0} = 1\nloss = 1")),
    ("an index", 2, 12, in_spec("loss = sum({0}: c[{0}])")),
    ("a size", 5, 1, in_spec("loss = 1", '[sizes]\n"{0}" = 3')),
    ("a parameter", 5, 1, in_spec("loss = 1", '[params]\n"{0}" = "real"')),
    ("a datum", 5, 1, in_spec("loss = 1", '[data]\n"{0}" = "real"')),
    ("a declared function", 5, 1, in_spec("loss = 1", '[functions]\n"{0}" = 1')),
    ("a loss", 1, 1, '[losses."{0}"]\nequations = "loss = 1"'),
)
# fmt: on


def named() -> list[Bad]:
    """Each of the names in each of the roles."""
    found = []
    for (what, name, said), (role, line, column, text) in product(NAMES, ROLES):
        at = column + CODE.index("'") * (name == CODE and line == 2)
        found.append(Bad(f"{what} as {role}", text.format(name), f"{line}:{at}", (said,)))
    return found


def cases() -> list[Bad]:
    """Every row as a spec's text."""
    rows = [Bad(claim, in_spec(text), place, words) for claim, text, place, words in EQUATIONS]
    rows += [
        Bad(claim, f'equations = """\nloss = 1\n"""\n{text}\n', place, words)
        for claim, text, place, words in SECTIONS
    ]
    return rows + named() + [Bad(*row) for row in TEXTS]
