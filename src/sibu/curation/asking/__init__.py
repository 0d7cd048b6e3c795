"""Questions in plain words, answered from the facts that hold, with a proof; or "not known".

``wording`` says what words of questions do, by a list for each language (``english``, ``chinese``); ``vocabulary``
knows by which words the relations and classes of a knowledge base are named; ``hearing`` finds names, relations,
classes and marks in a question; ``plans`` makes patterns of at most three steps of them and says how well each fits;
``solving`` finds what they match; ``answering`` chooses, proves, and says what is missing; ``replies`` tells it.
"""
