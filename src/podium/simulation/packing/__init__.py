"""The packing experiment: pods of the public openb format arrive one by one and never leave."""
