"""The best strategy under a budget of MACs, parameters or measured latency; exact fronts."""
