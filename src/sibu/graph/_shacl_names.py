"""The names of SHACL, and what stands behind each. Source: SHACL, W3C Recommendation, 2017, sections 2 to 6."""

from __future__ import annotations

from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KINDS = _words("BlankNode IRI Literal BlankNodeOrIRI BlankNodeOrLiteral IRIOrLiteral")
"""Values of ``sh:nodeKind``."""
TARGETS = ("targetClass", "targetSubjectsOf", "targetObjectsOf", "targetNode")
WHOLE, TRUTH, VALUE, IRI, TEXT, LIST, SHAPE, SHAPES = (
    "a whole number (xsd:integer) that is not negative",
    "true or false",
    "a value, such as 18",
    "an IRI",
    "a text",
    "a list",
    "a shape",
    "a list of shapes",
)
PARAMETERS: Mapping[str, str] = {
    **dict.fromkeys(("minCount", "maxCount", "minLength", "maxLength"), WHOLE),
    **dict.fromkeys(("qualifiedMinCount", "qualifiedMaxCount"), WHOLE),
    **dict.fromkeys(("uniqueLang", "closed", "deactivated", "qualifiedValueShapesDisjoint", "optional"), TRUTH),
    **dict.fromkeys(("minExclusive", "minInclusive", "maxExclusive", "maxInclusive"), VALUE),
    **dict.fromkeys(("datatype", "severity", "class", "equals", "disjoint", "lessThan", "lessThanOrEquals"), IRI),
    **dict.fromkeys(("targetClass", "targetSubjectsOf", "targetObjectsOf", "nodeKind", "entailment"), IRI),
    **dict.fromkeys(("pattern", "flags", "select", "ask", "prefix", "message"), TEXT),
    **dict.fromkeys(("in", "languageIn", "ignoredProperties"), LIST),
    **dict.fromkeys(("node", "property", "not", "qualifiedValueShape"), SHAPE),
    **dict.fromkeys(("and", "or", "xone"), SHAPES),
}
"""What a parameter's value is."""
ONCE = _words("""
    datatype nodeKind minCount maxCount minExclusive minInclusive maxExclusive maxInclusive minLength maxLength
    pattern flags languageIn uniqueLang in closed ignoredProperties qualifiedValueShape qualifiedMinCount
    qualifiedMaxCount qualifiedValueShapesDisjoint deactivated severity path
""")
"""What a shape has at most once."""
ALONG_PATHS = _words("minCount maxCount uniqueLang lessThan lessThanOrEquals qualifiedValueShape")
"""Parameters of property shapes alone."""
ELSEWHERE = _words("expression js jsFunctionName jsLibrary target")
"""Constraints and targets of SHACL Advanced Features and SHACL JavaScript: unjudged, they would look like passed."""
UNRUN = _words("rule values defaultValue condition")
"""Of the same, but they make facts and judge none."""
NAMES = PARAMETERS.keys() | ELSEWHERE | UNRUN | _words("""
    alternativePath annotationProperty annotationValue annotationVarName bindings conforms construct count declare
    desc description detail distinct else exists filterShape focusNode group groupConcat hasValue if intersection
    inversePath jsLibraryURL labelTemplate limit max min minus name namespace nodeValidator nodes object offset
    oneOrMorePath order orderBy parameter path predicate prefixes propertyValidator result resultAnnotation
    resultMessage resultPath resultSeverity returnType separator shapesGraph shapesGraphWellFormed sourceConstraint
    sourceConstraintComponent sourceShape sparql subject suggestedShapesGraph sum targetNode then union update
    validator value zeroOrMorePath zeroOrOnePath
""")  # fmt: skip
"""Every property."""
CLASSES = _words("""
    AbstractResult ConstraintComponent Function JSConstraint JSExecutable JSFunction JSLibrary JSRule JSTarget
    JSTargetType JSValidator NodeKind NodeShape Parameter Parameterizable PrefixDeclaration PropertyGroup
    PropertyShape ResultAnnotation Rule SPARQLAskExecutable SPARQLAskValidator SPARQLConstraint
    SPARQLConstructExecutable SPARQLExecutable SPARQLFunction SPARQLRule SPARQLSelectExecutable
    SPARQLSelectValidator SPARQLTarget SPARQLTargetType SPARQLUpdateExecutable Severity Shape ShapesGraph Target
    TargetType TripleRule ValidationReport ValidationResult Validator
""")
"""Every class."""
