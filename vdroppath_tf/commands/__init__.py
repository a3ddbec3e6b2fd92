"""What the sub-commands of ``vdroppath`` do: flags in, library calls, files out.

A module a command. Its docstring is the command's summary; ``EXAMPLE`` a call of it, ``define``
declares its flags, ``run`` does it.
"""
