"""F5, what is done with a knowledge base: reasoning over it, the reasons for what holds, and what contradicts.

``plan`` says by which reasoners and rule files; ``infer`` brings up to date what follows and writes it into the
knowledge base; ``why`` proves facts, or says what is missing; ``check`` looks for what must not be; ``rule_files`` and
``shape_files`` keep rules and shapes. ``links`` learns what is missing, ``hypotheses`` writes it down.
"""
