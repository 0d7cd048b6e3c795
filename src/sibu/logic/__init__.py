"""F2: rules, from their text to what follows from them.

``text`` reads and writes the language of rules, ``sound`` checks a program before it runs (with ``order``, ``growth``
and ``standard`` behind it), and ``strata`` says in which order rules are to be run where some deny what others
conclude. The language, by example (full-width ``（），。`` do as well)::

    # a comment; % begins one too
    @prefix ex: <https://example.org/> .
    @about "Not with what interacts."    # these three go before a rule, and each may be left out
    @confidence 0.8
    @id "contra"
    contraindicated(P, D) :- takes(P, X), interacts(X, D), not cleared(P, D).
    old(P) :- patient(P), age(P, A), A >= 65.
    many(P) :- patient(P), N = count { X : takes(P, X) }, N > 5.
    double(X, M) :- value(X, N), M = N * 2 + 1.
    :- alive(P), dead(P).                # a constraint: must never hold
    triple(X, Q, Y) :- triple(X, P, Y), rdfs:subPropertyOf(P, Q).
    禁忌(?病人, ?药) :- 服用(?病人, ?另一药), 相互作用(?另一药, ?药).
    takes(anna, ibuprofen). age(anna, 70).
"""
