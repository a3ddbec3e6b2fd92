"""A 3D network that starts from the weights of a 2D one."""
