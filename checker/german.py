"""Which words of a German sentence begin with a capital, told from the words alone.

German writes its nouns with a capital, so a text in capitals cannot simply be put into small letters: it
would read like no German at all. Articles, prepositions, endings and the words around them give nine in ten
of the capitals back.
"""

from __future__ import annotations

import regex

# A noun follows, with adjectives before it.
_BEFORE_NOUNS = """
der die das den dem des ein eine einen einem einer eines kein keine keinen keinem keiner keines keinerlei
mein meine meinen meinem meiner dein deine deinen deinem deiner sein seine seinen seinem seiner seines ihr
ihre ihren ihrem ihrer ihres unser unsere unseren unserem unserer unseres euer eure euren eurem eurer dieser
diese dieses diesen diesem jeder jede jedes jeden jedem jener jene jenes jenen jenem welcher welche welches
welchen welchem alle allen aller alles beide beiden beider viele vielen vieler mehrere mehreren mehrerer
einige einigen einiger wenige wenigen solche solchen solcher manche manchen sämtliche sämtlichen derselbe
derselben dieselbe dieselben demselben denselben dasselbe am im zum zur vom beim ins ans aufs fürs übers in
an auf aus bei mit nach seit von zu für durch gegen ohne um über unter vor hinter neben zwischen wegen trotz
während bis je pro per laut mangels seitens innerhalb außerhalb ausserhalb gegenüber entlang statt anstatt
aufgrund infolge mittels bezüglich hinsichtlich einschließlich einschliesslich dessen deren zwei drei vier
fünf sechs sieben acht neun zehn elf zwölf zwanzig dreißig dreissig fünfzig hundert tausend paar
"""
# Adverbs, conjunctions, pronouns; verbs and adjectives of every day.
_SMALL = """
ich du er es wir mich dich sich uns euch mir dir ihm ihn ihnen sie man wer wen wem was etwas nichts jemand
jemandem jemanden niemand niemandem niemanden dies und oder aber denn sondern sowie sowohl als wie wenn weil
dass daß ob obwohl obgleich damit sodass falls indem bevor nachdem sobald solange da daher darum deshalb
deswegen dennoch trotzdem jedoch also somit zwar doch ja nein nicht nie niemals nur auch noch schon erst
bereits immer wieder sehr so mehr meist meisten meistens weniger viel wenig ganz ganze ganzen gar fast rund
kaum eher sogar selbst nun jetzt dann danach davor vorher nachher heute gestern morgen bald später früher
hier dort oben unten außen aussen innen links rechts hin her hinaus heraus hinein herein hinauf herauf hinzu
hervor dazu davon dabei daran darauf darin daraus darüber darunter dafür dagegen dadurch damals hierzu
hiermit hierbei wo wohin woher wann warum wieso weshalb womit wodurch wofür woran worauf einmal zweimal
erstmals oft selten manchmal stets weiter weiterhin zusammen allein gemeinsam gleichzeitig bitte leider gern
gerne vielleicht natürlich besonders sonst außerdem ausserdem zudem ebenfalls ebenso genauso allerdings
zuletzt zuerst endlich mindestens wenigstens höchstens möglichst derzeit genug ungefähr etwa plötzlich
überall nirgends irgendwo seither bislang bisher inzwischen mittlerweile selber nämlich wohl bloß bloss eben
gerade genau schließlich schliesslich halbwegs derart weitaus zustande zufolge gemäß gemäss zwecks bzw los
fest frei voll leer offen klar sicher lang lange kurz hoch höher höchste tief weit nah nahe spät früh
schnell gut besser beste besten neu neue neuen neuer neues alt alte alten alter altes groß gross große
grosse großen grossen größer grösser größte größten klein kleine kleinen schwer stark rein gleich gleiche
gleichen eigen eigene eigenen andere anderen anderer anderes anderem nächste nächsten nächster erste ersten
erster erstes zweite zweiten dritte dritten letzte letzten letzter weitere weiteren weiterer verschiedene
verschiedenen bin bist ist sind seid war warst waren wart sei seien wäre wären habe hast hat haben habt
hatte hatten hätte hätten werde wirst wird werden werdet wurde wurden würde würden kann kannst können könnt
könne konnte konnten könnte könnten muss mußte musst müssen müsst müsse musste mussten müsste müssten darf
dürfen dürfe durfte durften dürfte dürften soll sollst sollen solle sollte sollten will willst wollen wolle
wollte wollten mag mögen möge mochte möchte möchten getan lassen lässt ließ liess ließen liessen geht gehen
ging gingen kommt kommen komme kam kamen gibt geben gäbe gab gaben steht stehen stehe stand standen macht
machen tut tun tat liegt liegen lag lagen bleibt bleiben bleibe blieb blieben nimmt nehmen nahm nahmen sieht
sehen sah sahen hält hielt hielten heißt heisst hieß weiß weiss wusste lief liefen traf trafen sprach
sprachen half halfen saß sass saßen brachte brachten begann begannen fuhr fuhren zog zogen schrieb schrieben
rief riefen trug trugen fiel fielen schloss schlossen erhielt erhielten verlor verloren übernahm versprach
gilt gelten galt ab zurück fort sofort denen insgesamt insbesondere entweder tatsächlich gewesen mithilfe
"""
_LEADING = frozenset(_BEFORE_NOUNS.split())
_KNOWN = _LEADING | frozenset(_SMALL.split())

# Parts of compounds that look like verbs and adjectives otherwise.
_NOUNS = """
stadt amt rat rät markt zeit welt arbeit recht nacht fahrt kraft punkt prozent wort ort sport antrag bericht
dienst geschäft unterricht verlust gebiet gericht gesicht gewicht schrift unterkunft zukunft wirtschaft wert
zentimeter meter million millionen milliarden zeiten stunden minuten wochen frauen straßen strassen personen
menschen kosten zahlen daten schulen garten gärten wagen boden hafen norden süden osten westen unternehmen
leben wesen rahmen namen name staaten studenten präsidenten soldaten architekten kranken kassen klassen
seiten grenzen waren wohnungen familien tonnen gesetz gesetzes regen ofen rücken brücken kirchen leute
kinder kindern länder ländern wasser feuer lager fenster mutter vater bruder schwester bürger bürgern
meister meisterin wetter winter sommer schüler schülern lehrer lehrern fahrer fahrern bäcker arbeiter
händler betreiber hersteller sprecher vertreter mitglieder mitgliedern häuser häusern bilder gelder nummer
kammer zimmer theater dezember november oktober september januar februar jahr jahre jahren tag tage tagen
monat monate monaten straße strasse stelle woche stunde brücke schule kirche gemeinde behörde hilfe ende
mitte höhe nähe
"""
_ENDS = "|".join(_NOUNS.split())
_NOUN = regex.compile(
    rf"(?:\p{{L}}{{3,}})?(?:{_ENDS})|\p{{L}}{{2,}}(?:ung|ungen|[hk]eit|[hk]eiten|schaft|schaften|[ts]ion|[ts]ionen|tät|täten|ismus"
    r"|nis|nisse|nissen|tum|ling|linge|lingen|ment|mente|menten|enz|enzen|anz|anzen|ur|uren|eur|eure|or|oren|ik|iker|ikern|ei"
    r"|eien)|\p{L}{3,}(?:chen|lein)"
)
_ADJECTIVE = regex.compile(
    r"\p{L}{2,}(?:lich|isch|ig|bar|sam|haft|los|voll|reich|weise|weis|wärts|mals|frei|fach|iert|ell|iv|al|är)(?:er|st)?(?:e[nmrs]?)?"
)
_VERB = regex.compile(
    r"\p{L}{0,5}ge\p{L}{2,}(?:t|en)|\p{L}{3,}(?:t|te|ten|en|eln|ern)|\p{L}{2,}zu\p{L}{3,}en|be\p{L}{2,}e"
)
_PARTICIPLE = regex.compile(r"\p{L}{0,5}ge\p{L}{3,}(?:t|en)")
_INFLECTED = regex.compile(r"\p{L}{2,}e[nmrs]?")
_PIECE = regex.compile(
    r"(?P<word>\p{Ll}[\p{L}\p{M}]*+(?:-\p{L}[\p{L}\p{M}]*+)*+)|(?P<number>\p{N}++(?:[.,:]\p{N}++)*+)|(?P<end>[^\s\p{L}\p{N}])"
)
# Where "sie" is whom the text speaks to.
_ASKED = regex.compile(r"(?:\A|[.!?:]\s)\p{L}{2,}en sie\b", regex.IGNORECASE)
_POLITE = frozenset(("sie", "ihnen", "ihr", "ihre", "ihren", "ihrem", "ihrer", "ihres"))


def with_capitals(text: str) -> str:
    """A German text with the capitals of its nouns, and of the same length.

    Args:
        text: all in small letters; those that sentences begin with are left so.
    """
    pieces = list(_PIECE.finditer(text))
    words = [match["word"] or "" for match in pieces]
    letters = list(text)
    polite = "bitte" in words or _ASKED.search(text) is not None
    leading = False
    for number, match in enumerate(pieces):
        word, following = words[number], words[number + 1] if number + 1 < len(words) else ""
        if not word:
            leading = match["number"] is not None
            continue
        if word in _KNOWN:
            leading = word in _LEADING
            noun = polite and word in _POLITE
        else:
            named = following and following not in _KNOWN and not _PARTICIPLE.fullmatch(following)
            noun = _is_noun(word, leading, attribute=bool(named))
            leading = leading and not noun
        if noun:
            letters[match.start()] = word[0].upper() if len(word[0].upper()) == 1 else word[0]
    return "".join(letters)


def _is_noun(word: str, leading: bool, *, attribute: bool) -> bool:
    """Whether a word is a noun.

    Args:
        word: in small letters.
        leading: an article or a preposition comes before it, with adjectives at most between.
        attribute: a word that may be a noun comes after it.
    """
    adjective = _ADJECTIVE.fullmatch(word) is not None
    if _NOUN.fullmatch(word) and not (adjective and attribute):
        return True
    inflected = _INFLECTED.fullmatch(word) is not None
    if leading:
        return not (inflected and attribute)
    return not (adjective or _VERB.fullmatch(word) or (inflected and attribute))
