"""What is there and what is free: nodes as arrays, free amounts, places, and room that is kept."""
