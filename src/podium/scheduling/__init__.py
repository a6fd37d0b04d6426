"""Pure decisions: snapshot in, plan out. No clock, no input or output, no iteration over sets."""
