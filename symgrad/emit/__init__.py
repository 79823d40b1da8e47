"""Plan -> source text. A backend is one row: its printer, its templates, its file suffix."""
