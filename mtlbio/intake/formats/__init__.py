"""Layouts of vendors and repositories, one module each: recognised by the head of a file or the names in a folder.

A further layout is a module with a :class:`mtlbio.intake.formats.layout.Layout` and its line in
:mod:`mtlbio.intake.formats.registry`.
"""
