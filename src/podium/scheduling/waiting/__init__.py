"""What is done for one who does not fit: room that becomes free, others who give way or move, and
nodes that are kept."""
