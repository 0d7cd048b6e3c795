"""Small ontologies, each with the facts that its axioms work on; consistent unless the name says otherwise."""

PREFIXES = """
@prefix : <https://example.org/> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
ONTOLOGIES = {
    "family": """
        :Person a owl:Class . :Man rdfs:subClassOf :Person . :Woman rdfs:subClassOf :Person ; owl:disjointWith :Man .
        :parent a owl:ObjectProperty ; rdfs:domain :Person ; rdfs:range :Person ; owl:inverseOf :child .
        :ancestor a owl:TransitiveProperty . :parent rdfs:subPropertyOf :ancestor .
        :sibling a owl:SymmetricProperty . :father rdfs:subPropertyOf :parent ; rdfs:range :Man .
        :anna :father :bob . :bob :parent :ida . :ida :child :tom . :tom :sibling :bob . :ida a :Woman .""",
    "family by chains": """
        :uncle owl:propertyChainAxiom ( :parent :brother ) .
        :cousin owl:propertyChainAxiom ( :parent :brother :child ) .
        :brother rdfs:subPropertyOf :sibling . :sibling a owl:SymmetricProperty .
        :anna :parent :bob . :bob :brother :tom . :tom :child :joe, :sue .""",
    "one mother": """
        :mother a owl:FunctionalProperty . :motherOf owl:inverseOf :mother . :ssn a owl:InverseFunctionalProperty .
        :anna :mother :ida . :anna :mother :eva . :ida :lives :rome . :eva :age 60 . :tom :ssn "1" . :thomas :ssn "1" .
        :tom :likes :anna . :thomas a :Man .""",
    "pizza": """
        :Pizza a owl:Class . :Topping a owl:Class . :Cheese rdfs:subClassOf :Topping . :Meat rdfs:subClassOf :Topping .
        :hasTopping a owl:ObjectProperty ; rdfs:domain :Pizza ; rdfs:range :Topping .
        :CheesyPizza owl:equivalentClass [ owl:intersectionOf ( :Pizza
            [ a owl:Restriction ; owl:onProperty :hasTopping ; owl:someValuesFrom :Cheese ] ) ] .
        :Vegetarian owl:equivalentClass [ owl:unionOf ( :CheesyPizza :Bread ) ] .
        :margherita :hasTopping :mozzarella . :mozzarella a :Cheese . :salami a :Meat .
        :diavola :hasTopping :salami .""",
    "pizza of one base": """
        :OneBase owl:equivalentClass [ a owl:Restriction ; owl:onProperty :hasBase ; owl:maxCardinality
            "1"^^xsd:nonNegativeInteger ] .
        :calzone a :OneBase ; :hasBase :thin, :crisp . :thin :made :flour . :pane :hasBase :a, :b .""",
    "pizza with a class of toppings": """
        :R a owl:Restriction ; owl:onProperty :hasTopping ; owl:maxQualifiedCardinality "1"^^xsd:nonNegativeInteger ;
            owl:onClass :Cheese .
        :Plain rdfs:subClassOf :R . :p a :Plain ; :hasTopping :brie, :gouda, :ham . :brie a :Cheese .
        :gouda a :Cheese .""",
    "units": """
        :Unit a owl:Class . :kilo rdfs:subPropertyOf :scale . :metre a :Unit ; :symbol "m" . :kilometre :kilo :metre .
        :scale rdfs:domain :Unit ; rdfs:range :Unit . :of a owl:TransitiveProperty, owl:SymmetricProperty .
        :mile :of :kilometre . :kilometre :of :metre . :Length owl:oneOf ( :metre :kilometre :mile ) .
        :Length rdfs:subClassOf :Unit .""",
    "units with values": """
        :Heavy owl:equivalentClass [ a owl:Restriction ; owl:onProperty :weight ; owl:hasValue 100 ] .
        :iron :weight 100 . :lead a :Heavy . :weight a owl:DatatypeProperty ; rdfs:domain :Thing .""",
    "病人": """
        :病人 a owl:Class ; rdfs:label "病人"@zh, "patient"@en . :住院病人 rdfs:subClassOf :病人 .
        :服用 a owl:ObjectProperty ; rdfs:domain :病人 ; rdfs:range :药物 ; owl:inverseOf :被服用 .
        :抗凝药 rdfs:subClassOf :药物 . :王芳 :服用 :华法林 . :华法林 a :抗凝药 . :李雷 a :住院病人 .
        :高危 owl:equivalentClass [ owl:intersectionOf ( :病人
            [ a owl:Restriction ; owl:onProperty :服用 ; owl:someValuesFrom :抗凝药 ] ) ] .""",
    "行政区": """
        :位于 a owl:TransitiveProperty ; rdfs:range :地区 . :接壤 a owl:SymmetricProperty ; rdfs:subPropertyOf :相关 .
        :朝阳区 :位于 :北京 . :北京 :位于 :中国 . :北京 :接壤 :河北 . :首都 owl:oneOf ( :北京 :巴黎 ) .
        :国家首都 owl:equivalentClass :首都 . :中国 owl:sameAs :中华人民共和国 .""",
    "equal names": """
        :a owl:sameAs :b . :b owl:sameAs :c . :a :knows :d . :e :knows :c . :p owl:sameAs :q . :x :p :y .
        :b a :Person . :C owl:sameAs :D . :z a :C .""",
    "equal classes": """
        :A owl:equivalentClass :B . :B owl:equivalentClass :C . :x a :A . :y a :C . :p rdfs:domain :B . :z :p :w .
        :A a owl:Class .""",
    "classes below each other": """
        :A rdfs:subClassOf :B . :B rdfs:subClassOf :C . :C rdfs:subClassOf :A . :x a :B . :D rdfs:subClassOf :A .
        :y a :D .""",
    "properties below each other": """
        :p rdfs:subPropertyOf :q . :q rdfs:subPropertyOf :r . :r rdfs:subPropertyOf :q . :a :p :b . :r rdfs:domain :D .
        :s owl:equivalentProperty :p . :c :s :d . :q rdfs:range :E . :E rdfs:subClassOf :F .""",
    "domains of classes": """
        :p rdfs:domain :A ; rdfs:range :B . :A rdfs:subClassOf :C . :B rdfs:subClassOf :D . :q rdfs:subPropertyOf :p .
        :a :q :b . :C rdfs:subClassOf :E .""",
    "restrictions below each other": """
        :p a owl:ObjectProperty . :q a owl:ObjectProperty . :p rdfs:subPropertyOf :q . :C a owl:Class . :D a owl:Class .
        :C rdfs:subClassOf :D .
        :S1 owl:onProperty :p ; owl:someValuesFrom :C . :S2 owl:onProperty :p ; owl:someValuesFrom :D .
        :S3 owl:onProperty :q ; owl:someValuesFrom :C . :A1 owl:onProperty :p ; owl:allValuesFrom :C .
        :A2 owl:onProperty :p ; owl:allValuesFrom :D . :A3 owl:onProperty :q ; owl:allValuesFrom :C .
        :H1 owl:onProperty :p ; owl:hasValue :v . :H2 owl:onProperty :q ; owl:hasValue :v . :x a :S1 . :y a :H1 .""",
    "all values": """
        :DogLover rdfs:subClassOf [ a owl:Restriction ; owl:onProperty :owns ; owl:allValuesFrom :Dog ] .
        :Dog rdfs:subClassOf :Animal . :joe a :DogLover ; :owns :rex, :fido . :sue :owns :tom .""",
    "something at all": """
        :Owner owl:equivalentClass [ a owl:Restriction ; owl:onProperty :owns ; owl:someValuesFrom owl:Thing ] .
        :joe :owns :rex . :sue a :Owner .""",
    "unions in unions": """
        :U owl:unionOf ( :A :V ) . :V owl:unionOf ( :B :C ) . :x a :A . :y a :B . :z a :C . :U rdfs:subClassOf :W .""",
    "intersections of three": """
        :I owl:intersectionOf ( :A :B :C ) . :x a :A, :B, :C . :y a :A, :B . :z a :I . :B rdfs:subClassOf :D .""",
    "keys of two": """
        :Person owl:hasKey ( :name :born ) . :a a :Person ; :name "Li" ; :born 1990 .
        :b a :Person ; :name "Li" ; :born 1990 .
        :c a :Person ; :name "Li" ; :born 1991 . :d a :Robot ; :name "Li" ; :born 1990 . :a :likes :tea .""",
    "key of one": """
        :Book owl:hasKey ( :isbn ) . :x a :Book ; :isbn "1" . :y a :Book ; :isbn "1" . :z a :Book ; :isbn "2" .
        :x :title "红楼梦"@zh .""",
    "functional both ways": """
        :spouse a owl:FunctionalProperty, owl:InverseFunctionalProperty, owl:SymmetricProperty .
        :a :spouse :b . :c :spouse :b . :c :age 40 .""",
    "a chain that feeds itself": """
        :near owl:propertyChainAxiom ( :near :near ) . :near a owl:SymmetricProperty . :a :near :b . :b :near :c .""",
    "a transitive property below another": """
        :partOf a owl:TransitiveProperty . :in rdfs:subPropertyOf :partOf . :wheel :in :car . :bolt :in :wheel .
        :has owl:inverseOf :partOf .
        :Part owl:equivalentClass [ owl:onProperty :partOf ; owl:someValuesFrom owl:Thing ] .""",
    "everything is": """
        owl:Thing rdfs:subClassOf :Being . :A a owl:Class . :B a owl:Class . :x a :A . :p rdfs:domain :B .
        :y :p :z .""",
    "thing within": """
        :I owl:intersectionOf ( owl:Thing [ owl:onProperty :p ; owl:hasValue :v ] ) .
        :J owl:intersectionOf ( :A owl:Thing ) .
        :A a owl:Class . :a :p :v . :b a :A .""",
    "annotations": """
        :A a owl:Class ; rdfs:label "甲"@zh ; rdfs:comment "first" ; rdfs:seeAlso :B . :x a :A ; rdfs:label "x" .
        <https://example.org/> a owl:Ontology ; owl:versionInfo "1" .""",
    "values of properties": """
        :age a owl:DatatypeProperty ; rdfs:domain :Person . :years owl:equivalentProperty :age . :a :years 30 .
        :b :age 30 . :Thirty owl:onProperty :age ; owl:hasValue 30 .""",
    "all different": """
        [] a owl:AllDifferent ; owl:distinctMembers ( :a :b :c ) . [] a owl:AllDisjointClasses ; owl:members ( :X :Y ) .
        :a a :X . :b a :Y . :p owl:propertyDisjointWith :q . :a :p :b . :b :q :a .""",
    "denied": """
        [] a owl:NegativePropertyAssertion ; owl:sourceIndividual :a ; owl:assertionProperty :p ;
            owl:targetIndividual :b . :a :p :c . :A owl:complementOf :B . :x a :A . :y a :B .""",
    "empty": "",
    "in conflict: a cat that is a dog": ":Cat owl:disjointWith :Dog . :Lynx rdfs:subClassOf :Cat . :x a :Lynx, :Dog .",
    "in conflict: of nothing": ":A rdfs:subClassOf owl:Nothing . :x a :A . :B a owl:Class .",
    "in conflict: same and different": ":p a owl:FunctionalProperty . :a :p :b, :c . :b owl:differentFrom :c .",
}  # fmt: skip
