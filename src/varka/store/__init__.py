"""Where resources come from and how they change: sources, change sets, the current state. Knows no
semantics."""
