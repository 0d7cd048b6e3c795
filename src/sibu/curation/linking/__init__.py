"""Names in a text joined to the things of a knowledge base.

``spelling`` says when two names are one, or near; ``aliases`` finds names by all labels and aliases, ``near`` those
that are written a little differently, ``meaning`` those that an encoder takes for alike; ``linker`` ranks what they
find.
"""
