"""The loop: documents are read, what follows is derived, conflicts are found, and it is told what should be retrained.

``update`` does all of it; ``conflicts`` finds what must not be and the facts to blame, ``distant`` makes training rows
of texts and facts, ``advice`` tells which bundles these rows are for.
"""
