"""How many GPUs of which type would have shortened the wait: recorded work, replayed."""
