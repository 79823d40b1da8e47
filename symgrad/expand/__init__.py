"""Networks, activations and losses by name, written out as the equations that define them.

    layer_text     "dense 64 tanh init=he_normal" -> one layer as data
    layers         the list of them, with residual blocks
    networks       [networks.NAME] as data: inputs, layers, which network it copies
    expand         networks and statements -> statements without names from the catalogue
      expander       the walk over the statements: what each names is written out before it
        applied        each network once at each choice of inputs, and its parameters
          equations      one application, layer by layer from the catalogue's rows
        activations    f(x) from its row, behind a layer or inside an equation
        losses         a named loss from its row

    tensors        what is known of a tensor on the way: axes, last size, kind
    scope          which statements wait, are open or done, and which names are taken
    axes, trees    letters for axes; syntax trees rewritten

What comes out is in the notation that users write: nothing later knows of a layer.
"""
