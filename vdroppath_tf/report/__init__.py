"""The HTML report of a run or a space, and the files behind its figures and tables."""
