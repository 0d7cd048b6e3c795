"""Rules that a graph of facts suggests, and the new facts that such rules suggest in turn.

``search.mine`` finds closed Horn rules with their support, head coverage, standard and PCA confidence;
``apply.hypotheses`` gives what they conclude beyond the graph, with a score and the rules that say so. All counts are
exact, over sorted columns of whole numbers; ``columns`` holds the graph, ``counting`` does the sums.

Sources: Galárraga et al., AMIE, WWW 2013; Lajus et al., Fast and Exact Rule Mining with AMIE 3, ESWC 2020.
"""
