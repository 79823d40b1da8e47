"""Spec and plans -> the text of one NumPy module."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from symgrad.algebra.access import Access
from symgrad.algebra.program import Program, Tensor
from symgrad.algebra.scalars import Stop, kinks_in
from symgrad.algebra.sizes import ONE, Size
from symgrad.emit.layout import WIDTH, wrapped_call
from symgrad.emit.numpy import Printer
from symgrad.emit.render import helper, render
from symgrad.emit.scalars import number_text, size_text
from symgrad.notation.printer import equation_text
from symgrad.plan.steps import Array, Plan
from symgrad.spec import Spec
from symgrad.version import VERSION


@dataclass(frozen=True)
class Function:
    """One function of the module.

    name:     as it is called.
    program:  what it computes; its outputs are `results` and the gradients.
    plan:     how.
    results:  the values returned, the loss first.
    gradient: the derivative tensor of each name in wrt, for a value_and_grad.
    derived:  the equations behind the gradient, as the docstring shows them.
    """

    name: str
    program: Program
    plan: Plan
    results: tuple[str, ...]
    gradient: Mapping[str, str]
    shown: tuple[str, ...]
    positional: bool = False


@dataclass(frozen=True)
class _Vector:
    """A class of named views on one vector."""

    name: str
    params: tuple[Tensor, ...]
    inputs: tuple[Tensor, ...]


class ModuleWriter:
    """Collects the strings that the template lays out."""

    def __init__(self, spec: Spec, functions: Sequence[Function], identities: Sequence[str]) -> None:
        self.spec, self.functions, self.identities = spec, functions, identities
        self.params = tuple(t for t in spec.tensors if t.role == "param")
        self.data = tuple(t for t in spec.tensors if t.role == "data")
        self.tensor_of = {t.name: t for t in spec.tensors}
        self.defaults = dict(spec.sizes)
        self.helpers: set[str] = set()
        self.vectors = {self._key(tuple(t.name for t in self.params)): _Vector("Params", self.params, ())} if self.params else {}
        for function in functions:
            key = self._key(tuple(function.gradient))
            if function.gradient and key not in self.vectors:
                name = function.name.removesuffix("value_and_grad").strip("_").title().replace("_", "") + "Gradients"
                chosen = [self.tensor_of[n] for n in key]
                self.vectors[key] = _Vector(
                    name, tuple(t for t in chosen if t.role == "param"), tuple(t for t in chosen if t.role == "data")
                )

    def _key(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(t.name for t in self.spec.tensors if t.name in names)

    def text(self) -> str:
        """The module's source."""
        spec = self.spec
        functions = [self.function(f) for f in self.functions]
        context = {
            "title": self.title(),
            "doc": self.doc(),
            "version": _quoted(VERSION),
            "sizes": _mapping(self.defaults),
            "parameters": self.parameters(),
            "inputs": [f"{_quoted(t.name)}: {_quoted(_declared(t))}" for t in self.data],
            "outputs": _tuple([_quoted(n) for n in spec.outputs]),
            "branches": "()",
            "operations": [f"{_quoted(f.name)}: {_quoted(str(f.plan.operations))}" for f in self.functions],
            "spec_hash": _quoted(spec.hash),
            "spec": _literal(spec.canonical()),
            "vectors": [self.vector(v) for v in self.vectors.values()],
            "workspace": self.workspace(),
            "init": self.init() if self.params else None,
            "load": self.load(),
            "functions": functions,
            "helpers": [helper("numpy", name) for name in sorted(self.helpers | {"_entry"})],
        }
        return render("numpy", "module.py.j2", context)

    # ---- documentation ------------------------------------------------------------------------

    def title(self) -> str:
        about = self.spec.description.strip().replace("\\", "\\\\").replace('"', "'")
        first, *rest = textwrap.wrap(f"{self.spec.name}: {about}" if about else f"{self.spec.name}.", WIDTH - 4)
        return "\n".join([first, *rest])

    def doc(self) -> list[str]:
        spec = self.spec
        lines = ["Forward", *self.equations(spec.shared)]
        for loss in spec.losses:
            own = [e for e in loss.program.equations if e not in spec.shared.equations]
            if own:
                lines += ["", f"Loss {loss.name}", *(f"    {equation_text(e, loss.program)}" for e in own)]
        for function in self.functions:
            if function.gradient:
                new = [f"    {line}" for line in function.shown if f"    {line}" not in lines]
                lines += ["", f"Gradient ({function.name}); dX stands for dL/dX", *new]
        lines += ["", "Shapes", *(f"    {t.name}: {_declared(t)}" for t in spec.tensors)]
        programs = [spec.shared, *(loss.program for loss in spec.losses)]
        bodies = [e.body for p in programs for e in p.equations]
        kinks = sorted({kink for body in bodies for kink in kinks_in(body)})
        held = sorted({equation_text(e, p) for p in programs for e in p.equations if e.body.has(Stop)})
        lines += ["", "Conventions at kinks: " + ("; ".join(kinks) if kinks else "there are none.")]
        lines += ["Held constant: " + ("what stands inside stop() in" if held else "nothing, but the data.")]
        lines += [f"    {text}" for text in held]
        lines += ["The batch is reduced as the equations of the loss say; nothing else is divided by its size."]
        lines += ["Rewritten to stay finite: " + ("; ".join(self.identities) if self.identities else "nothing.")]
        return [piece.replace("\\", "\\\\") for line in lines for piece in _wrapped(line)]

    def equations(self, program: Program) -> list[str]:
        return [f"    {equation_text(e, program)}" for e in program.equations]

    # ---- constants ----------------------------------------------------------------------------

    def parameters(self) -> list[str]:
        """name, axes, offset, shape and strides in numbers; None where a size has no default."""
        lines, offset = [], 0
        known = {n: v for n, v in self.defaults.items() if v is not None}
        fixed = all(size.names <= set(known) for t in self.params for size in t.shape)
        for tensor in self.params:
            axes = _tuple([_quoted(str(s)) for s in tensor.shape])
            if not fixed:
                lines.append(f'{_quoted(tensor.name)}: {{"axes": {axes}, "offset": None, "shape": None, "strides": None}}')
                continue
            shape = [size.evaluate(known) for size in tensor.shape]
            strides = [prod(shape[n + 1 :]) for n in range(len(shape))]
            places = f'"offset": {offset}, "shape": {_tuple(map(str, shape))}, "strides": {_tuple(map(str, strides))}'
            lines.append(f'{_quoted(tensor.name)}: {{"axes": {axes}, {places}}}')
            offset += prod(shape)
        return lines

    def size_names(self, tensors: Sequence[Tensor]) -> list[str]:
        """The named sizes in some shapes, in declared order."""
        used = frozenset().union(*(size.names for t in tensors for size in t.shape))
        return [name for name in self.defaults if name in used]

    def keywords(self, names: Sequence[str]) -> str:
        """`, *, B, H=64`: free sizes first, then those with defaults."""
        free = [n for n in names if self.defaults[n] is None]
        given = [f"{n}={self.defaults[n]}" for n in names if self.defaults[n] is not None]
        return ", *, " + ", ".join([*free, *given]) if names else ""

    # ---- classes ------------------------------------------------------------------------------

    def vector(self, vector: _Vector) -> dict[str, object]:
        names = self.size_names((*vector.params, *vector.inputs))
        parts = [f"{t.name} {_shape_text(t)}" for t in (*vector.params, *vector.inputs)]
        length = _total(vector.params)
        body = [f"def __init__(self, flat{self.keywords(names)}):"]
        body += [f"    self.flat = _vector(flat, {length})"]
        body += [f"    self._sizes = {_call_mapping(names)}"]
        if vector.params:
            targets = ", ".join(f"self.{t.name}" for t in vector.params) + ("," if len(vector.params) == 1 else "")
            shapes = "".join(f", {_shape_tuple(t)}" for t in vector.params)
            body += [f"    {targets} = _split(self.flat{shapes})"]
        body += [f"    self.{t.name} = np.empty({_shape_tuple(t)}, self.flat.dtype)" for t in vector.inputs]
        doc = "Views on one vector `flat`: " if vector.params else "By input: "
        wrapped = [p for line in body for p in _code(line, 4)]
        return {"name": vector.name, "doc": "\n    ".join(textwrap.wrap(doc + ", ".join(parts) + ".", WIDTH - 12)), "init": [w[4:] for w in wrapped]}

    def workspace(self) -> dict[str, object]:
        names = list(self.defaults)
        return {"signature": self.keywords(names), "sizes": _call_mapping(names)}

    def init(self) -> dict[str, object]:
        names = self.size_names(self.params)
        call = "".join(f", {n}={n}" for n in names)
        body = [f"params = Params(np.empty({_total(self.params)}, dtype){call})"]
        for tensor in self.params:
            body.append(f"params.{tensor.name}[...] = {self.drawn(tensor)}")
        return {"signature": self.keywords(names), "body": [*body, "return params"]}

    def drawn(self, tensor: Tensor) -> str:
        how = tensor.init or ("uniform_fan_in" if len(tensor.shape) > 1 else "zeros")
        name, _, argument = how.removesuffix(")").partition("(")
        if name == "zeros":
            return "0.0"
        if name == "constant":
            return argument
        self.helpers.add(f"_{name}")
        extra = f", {argument or '1.0'}" if name == "orthogonal" else ""
        return f"_{name}(rng, {_shape_tuple(tensor)}{extra})"

    def load(self) -> list[str]:
        names = self.size_names(self.params)
        body = [
            "with np.load(path, allow_pickle=False) as file:",
            "    arrays = {name: file[name] for name in file.files}",
            "if sorted(arrays) != sorted(PARAMETERS):",
            '    raise ValueError(f"{path} holds {sorted(arrays)}; expected {sorted(PARAMETERS)}")',
        ]
        length = "sum(array.size for array in arrays.values())"
        arguments = [f'np.empty({length}, arrays["{self.params[0].name}"].dtype)' if self.params else ""]
        for name in names:
            if found := self.axis_of(name, self.params):
                text = f'_axes("{found[0].name}", arrays["{found[0].name}"], {len(found[0].shape)})'
                arguments.append(f"{name}={text}.shape[{found[1]}]")
        body += [line[4:] for line in wrapped_call(f"params = Params({', '.join(arguments)})", 4)]
        body += [
            "for name in PARAMETERS:",
            "    view = getattr(params, name)",
            "    _shape(name, arrays[name], view.shape, \", \".join(PARAMETERS[name][\"axes\"]))",
            "    view[...] = arrays[name]",
            "return params",
        ]
        return body

    @staticmethod
    def axis_of(name: str, tensors: Sequence[Tensor]) -> tuple[Tensor, int] | None:
        """The first tensor and axis whose length is that size."""
        return next(((t, n) for t in tensors for n, s in enumerate(t.shape) if s == Size.of(name)), None)

    # ---- functions ----------------------------------------------------------------------------

    def function(self, function: Function) -> dict[str, object]:
        used = self.used_inputs(function)
        defaults = [t for t in used if t.default is not None]
        ordered = [*(t for t in used if t.default is None), *defaults]
        words = [t.name if t.default is None else f"{t.name}={number_text(t.default)}" for t in ordered]
        params = ["params"] if self.params else []
        arguments = [*words, "*"] if function.positional else ["*", *words]
        signature = ", ".join([*params, *arguments, "workspace=None"])
        gradient_names = {new: old for old, new in function.gradient.items()}

        def home(array: Array) -> str:
            return f"grads.{gradient_names[array.name]}" if array.storage == "gradient" else f"ws.{array.name}"

        printer = Printer(function.plan, home, depth=0)
        lines = printer.run(function.plan.steps)
        self.helpers |= printer.helpers
        memory = "_" + function.name.title().replace("_", "") + "Memory"
        body = [*self.entry(function, used, memory), *lines, *self.exit(function)]
        return {
            "name": function.name,
            "signature": _fitted(signature, len(function.name) + 8),
            "doc": self.function_doc(function, used),
            "body": body,
            "memory": self.memory(function, memory, used),
        }

    def used_inputs(self, function: Function) -> list[Tensor]:
        read = {a.tensor for e in function.program.equations for a in e.reads}
        return [t for t in self.data if t.name in read or t.name in function.gradient]

    def sizes_of(self, function: Function, used: Sequence[Tensor]) -> list[str]:
        tensors = (*self.params, *used, *(t for t in function.program.tensors if t.role == "computed"))
        return self.size_names(tensors)

    def entry(self, function: Function, used: Sequence[Tensor], memory: str) -> list[str]:
        lines: list[str] = []
        names = self.sizes_of(function, used)
        from_params = self.size_names(self.params)
        if self.params:
            lines += [
                "if not isinstance(params, Params):",
                '    raise TypeError(f"params is a {type(params).__name__}; expected this module\'s Params")',
                "dtype = params.flat.dtype",
            ]
        else:
            first = next((t.name for t in used if t.kind == "real" and t.shape), None)
            lines += [f"dtype = np.float32 if getattr({first}, \"dtype\", None) == np.float32 else np.float64" if first else "dtype = np.float64"]
        limits = _limits(function.program)
        for t in used:
            lines.append(self.converted(t, limits.get(t.name, ())))
        lines += [f'{name} = params._sizes["{name}"]' for name in names if name in from_params]
        given = []
        for name in names:
            if name in from_params:
                continue
            found = self.axis_of(name, used)
            if found:
                lines.append(f"{name} = {found[0].name}.shape[{found[1]}]")
                given.append((found[0].name, found[1]))
            elif self.defaults[name] is not None:
                lines.append(f"{name} = {self.defaults[name]} if workspace is None else workspace.sizes[\"{name}\"]")
        lines += self.shape_checks(used, given)
        for size, message in self.spec.checks:
            if size.names <= set(names):
                lines += [f"if {size_text(size)} < 0:", f"    raise ValueError({_quoted(message)})"]
        lines.append(f"ws = _memory(workspace, {memory}, dtype{''.join(f', {n}={n}' for n in names)})")
        if function.gradient:
            lines.append("grads = ws.grads")
        read = {a.tensor for e in function.program.equations for a in e.reads}
        bound = [t for t in self.params if t.name in read]
        if bound:
            left = ", ".join(t.name for t in bound)
            right = ", ".join(f"params.{t.name}" + ("" if t.shape else "[()]") for t in bound)
            line = f"{left} = {right}"
            lines += [line] if len(line) <= WIDTH - 4 else [f"{t.name} = params.{t.name}" + ("" if t.shape else "[()]") for t in bound]
        return [piece for line in lines for piece in _code(line, 4)]

    def converted(self, tensor: Tensor, limits: Sequence[Size]) -> str:
        name, axes = tensor.name, len(tensor.shape)
        if tensor.kind == "real":
            end = "" if axes else "[()]"
            return f'{name} = _real("{name}", {name}, {axes}, dtype){end}'
        if tensor.kind == "bool":
            return f'{name} = _boolean("{name}", {name}, {axes})' + ("" if axes else "[()]")
        bounds = list(dict.fromkeys([*([tensor.below] if tensor.below is not None else []), *limits]))
        texts = [size_text(b) for b in bounds]
        limit = "None" if not texts else texts[0] if len(texts) == 1 else f"min({', '.join(texts)})"
        return f'{name} = _integer("{name}", {name}, {axes}, {limit})' + ("" if axes else "[()]")

    def shape_checks(self, used: Sequence[Tensor], given: Sequence[tuple[str, int]]) -> list[str]:
        lines = []
        for t in used:
            told = {n for name, n in given if name == t.name}
            if t.shape and len(told) < len(t.shape):
                axes = ", ".join(str(s) for s in t.shape)
                lines.append(f'_shape("{t.name}", {t.name}, {_shape_tuple(t)}, "{axes}")')
        return lines

    def exit(self, function: Function) -> list[str]:
        lines = []
        for old, new in function.gradient.items():
            if not self.tensor_of[old].shape:
                lines.append(f"    grads.{old}[()] = {new}")
        value, *aux = function.results
        if not function.gradient and function.positional:
            return [*lines, f"    return {', '.join(function.results)}"]
        shown = f"({value}, {{{', '.join(f'{_quoted(a)}: {a}' for a in aux)}}})" if aux else value
        if function.gradient:
            return [*lines, f"    return {shown}, grads"]
        return [*lines, f"    return {shown.removeprefix('(').removesuffix(')') if aux else shown}"]

    def memory(self, function: Function, name: str, used: Sequence[Tensor]) -> dict[str, object]:
        sizes = self.sizes_of(function, used)
        owner_of = dict(function.plan.shares)
        body: list[str] = []
        for array in function.plan.arrays:
            if array.storage == "buffer" and array.name not in owner_of:
                dtype = {"real": "dtype", "int": "np.intp", "bool": "bool"}[array.kind]
                names = [array.name, *(n for n, owner in owner_of.items() if owner == array.name)]
                left = " = ".join(f"self.{n}" for n in names)
                body.append(f"{left} = np.empty({_sizes_tuple(array.shape)}, {dtype})")
            elif array.storage == "constant" and array.values:
                start, step = array.values
                kind = "dtype" if array.kind == "real" else "np.intp"
                stop = start + step * array.shape[0]
                span = size_text(stop) if (start, step) == (Size(), ONE) else f"{size_text(start)}, {size_text(stop)}, {size_text(step)}"
                body.append(f"self.{array.name} = np.arange({span}, dtype={kind})")
        if function.gradient:
            vector = self.vectors[self._key(tuple(function.gradient))]
            call = "".join(f", {n}={n}" for n in self.size_names((*vector.params, *vector.inputs)))
            body.append(f"self.grads = {vector.name}(np.empty({_total(vector.params)}, dtype){call})")
        signature = ", ".join(["dtype", *(["*"] if sizes else []), *sizes])
        pieces = [p[8:] for line in body for p in _code(line, 8)]
        return {"name": name, "signature": signature, "body": pieces or ["pass"]}

    def function_doc(self, function: Function, used: Sequence[Tensor]) -> list[str]:
        arguments = ", ".join(f"{t.name} {_shape_text(t)}" for t in used)
        if function.gradient:
            first = f"The loss and its gradient by {', '.join(function.gradient)}."
        elif function.positional:
            first = f"{', '.join(function.results)}."
        else:
            first = "The loss."
        lines = textwrap.wrap(first, WIDTH - 8)
        if arguments:
            lines += ["", *textwrap.wrap(f"Arguments: {arguments}.", WIDTH - 8)]
        if len(function.results) > 1 and not function.positional:
            lines += ["", f"Beside the loss stands a dict of {', '.join(function.results[1:])}."]
        lines += ["", "Without a workspace the results are new; with one they live in it until its next call."]
        return lines


def _limits(program: Program) -> dict[str, tuple[Size, ...]]:
    """For each integer tensor that indexes an axis, the sizes of those axes."""
    found: dict[str, list[Size]] = {}
    for equation in program.equations:
        for access in (*equation.reads, equation.target):
            for subscript, size in zip(access.subscripts, program.tensor_of[access.tensor].shape, strict=True):
                if isinstance(subscript, Access):
                    found.setdefault(subscript.tensor, []).append(size)
    return {name: tuple(dict.fromkeys(sizes)) for name, sizes in found.items()}


def _declared(tensor: Tensor) -> str:
    text = tensor.kind + (f"[{', '.join(str(s) for s in tensor.shape)}]" if tensor.shape else "")
    text += f" < {tensor.below}" if tensor.below is not None else ""
    text += f" = {number_text(tensor.default)}" if tensor.default is not None else ""
    return text


def _shape_text(tensor: Tensor) -> str:
    return "(" + ", ".join(str(s) for s in tensor.shape) + ("," if len(tensor.shape) == 1 else "") + ")"


def _shape_tuple(tensor: Tensor) -> str:
    return _sizes_tuple(tensor.shape)


def _sizes_tuple(sizes: Sequence[Size]) -> str:
    return _tuple([size_text(s) for s in sizes])


def _total(tensors: Sequence[Tensor]) -> str:
    total = sum((prod(t.shape, start=ONE) for t in tensors), Size())
    return size_text(total)


def _tuple(items: Sequence[str] | map[str]) -> str:
    listed = list(items)
    return "(" + ", ".join(listed) + ("," if len(listed) == 1 else "") + ")"


def _quoted(text: str) -> str:
    return json.dumps(text)


def _mapping(items: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{_quoted(k)}: {v}" for k, v in items.items()) + "}"


def _call_mapping(names: Sequence[str]) -> str:
    return "{" + ", ".join(f"{_quoted(n)}: {n}" for n in names) + "}"


def _literal(text: str) -> str:
    """A text as a raw triple-quoted literal where that can hold it."""
    if "'''" not in text and not text.endswith(("'", "\\")):
        return f"r'''{text}'''"
    return _quoted(text)


def _wrapped(line: str) -> list[str]:
    if len(line) <= WIDTH:
        return [line]
    lead = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(line, WIDTH, subsequent_indent=lead + "    ", break_long_words=False, drop_whitespace=True)


def _code(line: str, indent: int) -> list[str]:
    lead = len(line) - len(line.lstrip())
    return wrapped_call(line.lstrip(), indent + lead)


def _fitted(signature: str, used: int) -> str:
    if used + len(signature) <= WIDTH:
        return signature
    return "\n    " + ",\n    ".join(signature.split(", ")) + ",\n"


def module_text(spec: Spec, functions: Sequence[Function], identities: Sequence[str] = ()) -> str:
    """The source of the spec's module. Same spec, same bytes."""
    return ModuleWriter(spec, functions, identities).text()
