"""Many strategies of one template, or one network, scored on the same clips; and what to choose."""
