"""The derivation of a gradient, as numbered steps that a person can follow.

    spec -> reverse -> Book -> sections of steps -> text, Markdown or LaTeX

`build.explain` tells one gradient, `compare.compare_full` two of them side by side. Everything
printed is a `Code`, text and LaTeX of one formula, made in one place from the derived equations;
no derivative is typed in, and every number is what the naive evaluator gives.

| what | where |
| --- | --- |
| the sections in order; what they are told | `build`, `lessons`, `explained` |
| what a derivation is made of | `steps`, `derivation` |
| a program's formulas; an equation as a sum, its deltas | `book`, `terms`, `settle` |
| equations put into one another, in other letters | `substitute` |
| the first section, backward steps, the last section | `reading`, `backward`, `remarks`, `facts` |
| the gradient as a product of matrices | `contractions`, `matrix`, `matrix_text` |
| the point, and what everything comes to there | `values`, `numbers`, `descent` |
| one weight: the network written out, factors, limit | `inline`, `chain`, `factors`, `limit` |
| one bias: two visits and the training | `one_bias`, `one_bias_lesson` |
| the lecture: its letters, neurons, errors, update | `lecture`, `neuron`, `through`, `spelled` |
| a layer with a symbol for its number; matrices, samples | `layered`, `layer_lesson`, `slices` |
| every path, and that their sum is the recursion | `paths`, `path_lesson` |
| semi-gradient beside full gradient, and what is removed | `two`, `removed`, `compare` |
| names and expressions in LaTeX; arrays and tables | `latex`, `latex_scalars`, `figures` |
| the three formats | `render_text`, `render_markdown`, `render_latex` |

A new lesson is a function from `Explained` to sections, and a row of `lessons.LESSONS`.
"""
