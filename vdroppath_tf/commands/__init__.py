"""The sub-commands of ``vdroppath``: they read flags, call the library and write files.

Each command is a module. Its docstring is the command's summary, ``EXAMPLE`` is an example call,
``define`` declares its flags, and ``run`` executes it.
"""
