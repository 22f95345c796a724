"""Programs that stand alone: no Django, only Python and the library `cryptography`. Records
need no network; whoever watches a log does.
"""
