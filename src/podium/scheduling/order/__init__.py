"""Whose turn it is: guarantees, priority, fair shares over the tree, and age."""
