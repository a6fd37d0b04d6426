"""Jobs of a trace on virtual time: named reference policies, and the product's own beside them."""
