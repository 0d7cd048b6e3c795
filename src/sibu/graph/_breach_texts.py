"""What a breach says where the shapes themselves say nothing, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from sibu.core.names import SHACL

TEXTS: Mapping[str, tuple[str, str]] = {
    "And": ("is not as all of these shapes ask", "不符合其中的每一个形状"),
    "Class": ("is not of the class {class}", "不属于类 {class}"),
    "Closed": ("has a property that the shape does not know", "有该形状未列出的属性"),
    "Datatype": ("is not of the datatype {datatype}", "不是数据类型 {datatype}"),
    "Disjoint": ("is also a value of {disjoint}", "同时也是 {disjoint} 的值"),
    "Equals": ("is not a value of both this and {equals}", "不同时是此处与 {equals} 的值"),
    "HasValue": ("the value {hasValue} is missing", "缺少值 {hasValue}"),
    "In": ("is none of {in}", "不在 {in} 之中"),
    "LanguageIn": ("is in none of the languages {languageIn}", "语言不在 {languageIn} 之中"),
    "LessThan": ("is not less than the values of {lessThan}", "不小于 {lessThan} 的值"),
    "LessThanOrEquals": ("is more than a value of {lessThanOrEquals}", "大于 {lessThanOrEquals} 的值"),
    "MaxCount": ("has more values than {maxCount}", "值多于 {maxCount} 个"),
    "MaxExclusive": ("is not less than {maxExclusive}", "不小于 {maxExclusive}"),
    "MaxInclusive": ("is more than {maxInclusive}", "大于 {maxInclusive}"),
    "MaxLength": ("is longer than {maxLength} characters", "长于 {maxLength} 个字符"),
    "MinCount": ("has fewer values than {minCount}", "值少于 {minCount} 个"),
    "MinExclusive": ("is not more than {minExclusive}", "不大于 {minExclusive}"),
    "MinInclusive": ("is less than {minInclusive}", "小于 {minInclusive}"),
    "MinLength": ("is shorter than {minLength} characters", "短于 {minLength} 个字符"),
    "Node": ("is not as the shape {node} asks", "不符合形状 {node}"),
    "NodeKind": ("is not of the kind {nodeKind}", "不是 {nodeKind} 种类的节点"),
    "Not": ("is as a shape asks that it must not meet", "符合了不应符合的形状"),
    "Or": ("is as none of these shapes ask", "不符合其中任何一个形状"),
    "Pattern": ("does not match the pattern {pattern}", "与模式 {pattern} 不匹配"),
    "QualifiedMaxCount": (
        "has more values than {qualifiedMaxCount} that are as the inner shape asks",
        "符合内部形状的值多于 {qualifiedMaxCount} 个",
    ),
    "QualifiedMinCount": (
        "has fewer values than {qualifiedMinCount} that are as the inner shape asks",
        "符合内部形状的值少于 {qualifiedMinCount} 个",
    ),
    "SPARQL": ("is found by the shape's query", "被该形状的查询找到"),
    "UniqueLang": ("has two values of one language", "同一语言有两个值"),
    "Xone": ("is not as exactly one of these shapes asks", "不恰好符合其中一个形状"),
}
"""By SHACL's name of the constraint; in braces its parameters."""
OTHER = ("is not as {} asks", "不符合 {}")


def texts_of(constraint: str) -> tuple[str, str]:
    """English and Chinese, with the parameters still in braces, for the IRI of a constraint component."""
    name = constraint.removeprefix(SHACL).removesuffix("ConstraintComponent")
    return TEXTS.get(name) or (OTHER[0].format(f"<{constraint}>"), OTHER[1].format(f"<{constraint}>"))
