"""From text to facts: documents are read by extractors, names are linked, and what is sure enough is stated.

``run`` reads documents into a knowledge base by a ``plan``; ``review`` gives what waits for a person to a file, and
takes the decisions back.
"""
