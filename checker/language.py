"""Identify the language of a text, with a probability.

py3langid (Lui and Baldwin 2012, retrained) gives the first opinion. Scripts or letters that decide also
count. Where the first opinion is unsure, langdetect (Nakatani 2010) gives a second one. For the measurements,
see ``docs/language.md``.
"""

from __future__ import annotations

import threading
import unicodedata
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import regex

from checker import neighbours
from checker.languages import SUPPORTED
from checker.letters import unstyled
from checker.result import Language, LanguageGuess

if TYPE_CHECKING:
    import numpy as np
    from langdetect.detector import Detector
    from langdetect.detector_factory import DetectorFactory
    from numpy.typing import NDArray
    from py3langid.langid import LanguageIdentifier

    Floats: TypeAlias = NDArray[np.float64]

READ = 2_000  # characters that are read; more do not change the answer
FEWEST_LETTERS = 3  # different ones; below, no language is named. Chinese, Japanese, Korean ones count as two
UNLIKELY = 0.3  # below, the best candidate is not named either
UNSURE = 0.7  # below, langdetect is asked
LIKELY = 0.5  # confidence under which the language of a text counts as not identified
OWN_LANGUAGE = 30  # columns from which a sentence's language is identified on its own
SURE = 0.9  # confidence from which a sentence may be in another language than its text
SECOND_WEIGHT = 0.1  # of langdetect in the linear opinion pool with py3langid
SHOWN = 0.01  # less likely alternatives are not shown

# Varieties that are written as a language with a two-letter code is, and codes of langdetect.
_FOLDED = {
    "arz": "ar", "ary": "ar", "fuv": "ff", "grc": "el", "gug": "gn", "hbo": "he", "kik": "ki", "nn": "no",
    "sdh": "ku", "uzs": "uz", "wuu": "zh", "yue": "zh", "zh-cn": "zh", "zh-tw": "zh",
}  # fmt: skip
_NEGLIGIBLE = 1e-6
_SLIGHT = 1e-2  # words of neighbours are looked for in languages that are likelier
_ROUNDING = 1e-4  # of a confidence
_NOISE = "zxx"  # py3langid's class for identifiers, markup and the like

# How likely posts in a language are before the text is read: 1 for SUPPORTED, OTHER for other languages, less
# where a language is rarely posted in or easily taken for a larger one.
OTHER = 0.5
_PRIORS = (
    dict.fromkeys(SUPPORTED, 1.0)
    | dict.fromkeys(("bs", "ms"), 0.25)
    | dict.fromkeys(
        (
            "ace", "an", "ba", "bcl", "br", "crh", "cy", "dz", "eo", "ext", "ff", "fo", "fy", "ga", "gcf",
            "gcr", "gd", "gn", "gom", "guw", "ha", "ht", "ig", "jv", "kab", "ki", "la", "lb", "lg", "lij",
            "ln", "ltg", "mg", "nso", "oc", "om", "pcm", "qu", "rw", "sa", "se", "sn", "so", "st", "tl",
            "vec", "vo", "wa", "xh", "yo", "zu",
        ),
        0.05,
    )
)  # fmt: skip

_SCRIPTS = regex.compile(
    r"(?V1)(?P<ko>\p{Hangul}+)|(?P<ja>[\p{Hiragana}\p{Katakana}ー]+)|(?P<zh>\p{Han}+)|(?P<el>\p{Greek}+)"
    r"|(?P<he>\p{Hebrew}+)|(?P<hy>\p{Armenian}+)|(?P<ka>\p{Georgian}+)|(?P<th>\p{Thai}+)"
    r"|(?P<shared>[\p{Latin}\p{Cyrillic}\p{Arabic}\p{Devanagari}\p{Bengali}\p{Ethiopic}\p{Gujarati}\p{Gurmukhi}"
    r"\p{Kannada}\p{Khmer}\p{Lao}\p{Malayalam}\p{Myanmar}\p{Oriya}\p{Sinhala}\p{Tamil}\p{Telugu}\p{Tibetan}]+)"
    r"|(?P<unknown>[\p{L}--[\p{Common}\p{Inherited}]]+)"
)
# Words in small letters, by script: names in another script are longer than the wording at times.
_SHARED = regex.compile(
    r"(?<!\p{L})(?:(?P<Latin>(?=\p{Ll})\p{Latin}++)|(?P<Cyrillic>(?=\p{Ll})\p{Cyrillic}++)"
    r"|(?P<Arabic>\p{Arabic}++)|(?P<Devanagari>\p{Devanagari}++)|(?P<other>(?!\p{Lu})\p{L}++))"
)
_SHARED_LETTER = regex.compile(
    r"(?P<Latin>\p{Latin})|(?P<Cyrillic>\p{Cyrillic})|(?P<Arabic>\p{Arabic})|(?P<Devanagari>\p{Devanagari})"
)
MOSTLY = 0.7  # share of a script, in words in small letters, from which other scripts are only names
KANA = 0.1  # share of kana among kana and Han from which a text is Japanese
JAPANESE_FORMS = 0.08  # share of forms that Chinese does not write, from which Han alone is Japanese
_JAPANESE_FORM = regex.compile(
    "[円県駅図発戦対総検労経済価関気様薬単広児団営囲圧厳継斎従焼剣険拝挙栄桜沢渋渓砕稲穂粋縄繊聴臓蔵読変辺鉄銭駆騒験鶏黒黙込働畑峠枠匂]"
)
_CAPITALISED = regex.compile(r"(?<!\p{L})\p{Lu}[\p{Latin}\p{M}'’]*+")
NAMED = 0.3  # share of Chinese, Japanese or Korean letters from which names in Latin ones do not count
_HAN = regex.compile(r"\p{Han}")
_CHINESE_PARTICLE = regex.compile(
    "[了们們这這那哪你您她它吗嗎呢吧啊么麼没沒很让讓给給把被就也还還着或但从從与與为為将將对對说說]"
    r"|些(?![細少事末か])|(?<!国)是(?![正非認々])"
)
CHINESE_FORMS = 0.06  # share of forms that Japanese does not write today, from which Han alone is Chinese
# py3langid does not know Yiddish: it has ligatures of its own, a pointed alef (in pointed Hebrew there is a
# sheva in sight), and words that Hebrew has not.
_YIDDISH = regex.compile(r"[\u05f0-\u05f2\ufb1f]|^(?!.*\u05b0).*א[\u05b7\u05b8]", regex.DOTALL)
_YIDDISH_WORD = regex.compile(r"\b(?:און|פון|פאר|איז|האט|מיט|וואס|נישט|זענען|דער|דעם|זיך|וועגן|אויף)\b")

# Letters of languages that share a script. A letter that a language does not write speaks against it.
_CYRILLIC, _ARABIC = "абвгдежзклмнопрстуфхцчш", "ءآؤئابتثجحخدذرزسشصضطظعغفقلمنو"
_ALPHABETS = {
    "ru": _CYRILLIC + "иёйщъыьэюя", "uk": _CYRILLIC + "иґєіїйщьюя", "be": _CYRILLIC + "ёіўйыьэюя",
    "bg": _CYRILLIC + "ийщъьюяѝ", "mk": _CYRILLIC + "иѓѕјљњќџѐѝ", "sr": _CYRILLIC + "иђјљњћџ",
    "kk": _CYRILLIC + "иёйщъыьэюяәғқңөұүһі", "ky": _CYRILLIC + "иёйщъыьэюяңөү",
    "mn": _CYRILLIC + "иёйщъыьэюяөү", "tg": _CYRILLIC + "иёйъэюяғӣқӯҳҷ",
    "tt": _CYRILLIC + "иёйщъыьэюяәөүҗңһ", "ba": _CYRILLIC + "иёйщъыьэюяәғҙҡңөҫүһ",
    "ar": _ARABIC + "أإةكهىي", "fa": _ARABIC + "أإةكهىيپچژکگیۀ", "ur": _ARABIC + "أپچژکگیہھٹڈڑںےۓ",
    "ps": _ARABIC + "أإةكهىيپچژکګگیټډړږښځڅڼېۍ",
}  # fmt: skip
# Of Latin script, with the letters of words that are commonly borrowed.
_LATIN = "abcdefghijklmnopqrstuvwxyzéüö"
_ALPHABETS |= {
    code: _LATIN + own
    for code, own in {
        "cs": "áčďěíňóřšťúůýžä", "de": "äßàèêçñáó", "en": "àáâãäåæçèêëìíîïñòóôõøùúûýšž", "es": "áíóúñàèçêâô",
        "fi": "äåšžàáèêñõ", "fr": "àâæçèêëîïôœùûÿñáíóã", "hu": "áíóőúűäàèâ", "it": "àèìíîòóùúâçêñáäô",
        "nl": "ëïáàâäçèêíîóôúûñ", "pl": "ąćęłńóśźżä", "pt": "áâãàçêíóôõúñèä", "ro": "ăâîșțşţáóàèäç",
        "sv": "åäàáèêçñ", "tr": "çğıöşâîû",
    }.items()
}  # fmt: skip
_DECISIVE = (
    frozenset("".join(_ALPHABETS.values()))
    | frozenset("õōôŏùũåėęįųūāēģķļņŗẽěə")
    | frozenset(map(chr, range(0x450, 0x530)))  # of Cyrillic
)
_DECISIVE -= frozenset(_CYRILLIC + _ARABIC + "abcdefghijklmnopqrstuvwxyz")
FOREIGN = 0.3  # weight of a language for every letter and word that it does not write, up to FOREIGN_COUNTED
FOREIGN_COUNTED = 3

# Words of Persian as an Arabic keyboard gives them, and words that only Arabic has.
_SHARED_KEYS = regex.compile("[يكىیک]")
_PERSIAN_ONLY = regex.compile("[پچژگ]")
_PERSIAN_KEYS, _ARABIC_KEYS = str.maketrans("يكى", "یکی"), str.maketrans("یک", "يك")
_ARABIC_WORD = regex.compile(r"\p{Arabic}++")
_PERSIAN_WORDS = frozenset([
    "است", "شد", "شده", "كرد", "كرده", "كردند", "مي", "نمي", "مى", "را", "از", "به", "كه", "اين", "آن",
    "براي", "براى", "بود", "باشد", "هاي", "ها", "هستند", "شود", "خود", "دارد", "داد", "گفت", "تا", "يك",
    "يكي", "بر", "نيست", "اند", "كند", "كنند", "خواهد", "خواست", "شدند", "بايد", "هم", "نيز", "پس",
    "روز", "كشور", "در",
])  # fmt: skip
_ALSO_ARABIC = frozenset(("به", "بر", "هم", "روز", "در", "داد", "خود"))
_ARABIC_WORDS = frozenset(
    [
        "في",
        "من",
        "على",
        "إلى",
        "أن",
        "عن",
        "هذا",
        "هذه",
        "التي",
        "الذي",
        "كان",
        "قال",
        "مع",
        "لا",
        "بعد",
        "قبل",
    ]
)
TELLING_WORDS = 0.12  # share of words of a language from which its text may be in the letters of the other

STRANGE = 0.08  # share of words of another language, or with its letters, from which a text is in a neighbour
NEIGHBOUR = 0.45  # of the confidence is left then

_loading = threading.Lock()


def identify(text: str, wanted: float = 0.0) -> Language:
    """Identify the language of a cleaned text.

    Args:
        text: any length; the first ``READ`` characters are read.
        wanted: confidence below which the caller takes no answer. Where langdetect could not lift any
            language to it, it is not asked: the confidence is then below ``wanted`` with it or without.

    Returns:
        The ISO 639-1 code (639-3 where there is none) with its probability, and up to three alternatives of
        at least ``SHOWN``. The code is None where there are too few letters or no candidate is likely; then
        the confidence is that of the best candidate, and the alternatives begin with it.
    """
    text = _retyped(unicodedata.normalize("NFKC", unstyled(text[:READ])))
    scripts, letters = _scripts(text)
    if letters < FEWEST_LETTERS or scripts["unknown"] * 2 >= scripts.total():
        return Language(code=None, confidence=0.0)
    own = _in_one_script(text)
    beliefs = _with_script(_first_opinion(own), scripts, text)
    best = max(beliefs, key=beliefs.__getitem__)
    reach = (1 - SECOND_WEIGHT) * beliefs[best] + SECOND_WEIGHT  # if langdetect were sure of the best
    if beliefs[best] < UNSURE and reach + _ROUNDING >= wanted:
        beliefs = _with_second_opinion(beliefs, best, own)
    if _is_neighbour(own, best):
        beliefs = {code: NEIGHBOUR * belief for code, belief in beliefs.items()}
    noise = beliefs.pop(_NOISE, 0.0)
    ranking = sorted(beliefs.items(), key=lambda item: (-item[1], item[0]))
    guesses = [LanguageGuess(code=code, confidence=round(belief, 4)) for code, belief in ranking[:4]]
    shown = tuple(guess for guess in guesses if guess.confidence >= SHOWN)
    confidence = guesses[0].confidence if guesses else 0.0
    if confidence < max(UNLIKELY, noise):
        return Language(code=None, confidence=confidence, alternatives=shown[:3])
    return Language(code=guesses[0].code, confidence=confidence, alternatives=shown[1:])


def _retyped(text: str) -> str:
    """Persian that was typed on an Arabic keyboard, and Arabic on a Persian one, in letters of their own."""
    if not _SHARED_KEYS.search(text):
        return text
    found = _ARABIC_WORD.findall(text.translate(_ARABIC_KEYS))
    persian = sum(word in _PERSIAN_WORDS for word in found)
    sure = persian > 1 or any(word in _PERSIAN_WORDS - _ALSO_ARABIC for word in found)
    arabic = sum(word.startswith("ال") or word in _ARABIC_WORDS or word.endswith("ة") for word in found)
    if sure and persian > arabic and persian >= TELLING_WORDS * len(found):
        return text.translate(_PERSIAN_KEYS)
    if arabic > max(persian, 1) and arabic >= TELLING_WORDS * len(found) and not _PERSIAN_ONLY.search(text):
        return text.translate(_ARABIC_KEYS)
    return text


def own_language(text: str, columns: int, wanted: float = SURE) -> Language | None:
    """The language of a sentence that is long enough, and sure enough, to have one of its own.

    Args:
        text: the sentence.
        columns: its length; wide characters count as two.
        wanted: least confidence.
    """
    if columns < OWN_LANGUAGE:
        return None
    guess = identify(text, wanted)
    return guess if guess.code is not None and guess.confidence >= wanted else None


def _scripts(text: str) -> tuple[Counter[str], int]:
    """Letters by the script, those of the wide scripts twice, and the least number of different letters."""
    scripts: Counter[str] = Counter()
    different: set[str] = set()
    for match in _SCRIPTS.finditer(text.lower()):
        weight = 2 if match.lastgroup in ("ko", "ja", "zh") else 1
        scripts[match.lastgroup or ""] += weight * len(match[0])
        if len(different) < FEWEST_LETTERS:
            different.update(match[0])
    wide = sum(scripts[script] > 0 for script in ("ko", "ja", "zh"))
    return scripts, len(different) * (2 if wide else 1)


def _in_one_script(text: str) -> str:
    """A text in Latin, Cyrillic, Arabic or Devanagari letters without what little is in another script.

    Names in another script do not make a text one of the languages of that script.
    """
    first = _SHARED_LETTER.search(text)
    if text.isascii() or first is None or not _other_letters(first.lastgroup or "").search(text):
        return text
    counts: Counter[str] = Counter()
    for match in _SHARED.finditer(text.lower() if text.isupper() else text):
        wide = 2 if match.lastgroup == "other" else 1  # most of the others are
        counts[match.lastgroup or ""] += wide * len(match[0])
    script, count = counts.most_common(1)[0] if counts else ("other", 0)
    if script == "other" or count < MOSTLY * counts.total():
        return text
    return _other_letters(script).sub(" ", text)


@cache
def _other_letters(script: str) -> regex.Pattern[str]:
    return regex.compile(rf"(?V1)[\p{{L}}--[\p{{{script}}}\p{{Common}}\p{{Inherited}}]]++")


def _first_opinion(text: str) -> dict[str, float]:
    """py3langid's probabilities, with the priors and with the letters that a language does not write."""
    beliefs: dict[str, float] = {}
    for code, probability in _py3langid().rank(text):  # most likely first
        if probability < _NEGLIGIBLE:
            break
        code = _FOLDED.get(code, code)
        beliefs[code] = beliefs.get(code, 0.0) + probability * _PRIORS.get(code, OTHER)
    small = text.lower()
    for code, belief in beliefs.items():
        strange = len(neighbours.strange(text, code)) if belief > _SLIGHT else 0
        if pattern := _unwritten(code):
            strange += len(pattern.findall(small))
        beliefs[code] = belief * FOREIGN ** min(strange, FOREIGN_COUNTED)
    total = sum(beliefs.values())
    return {code: belief / total for code, belief in beliefs.items()}


@cache
def _unwritten(code: str) -> regex.Pattern[str] | None:
    """A letter that decides, and that this language does not write; None where its letters are not known."""
    alphabet = _ALPHABETS.get(code)
    return regex.compile(f"[{''.join(sorted(_DECISIVE - set(alphabet)))}]") if alphabet else None


def _is_neighbour(text: str, code: str) -> bool:
    """Whether a text has words that its most likely language does not write, names left out."""
    if code not in SUPPORTED:
        return False
    strange = set(neighbours.strange(text, code))
    found = [word for word in neighbours.words_of(text) if not word[0].isupper()]
    if (pattern := _unwritten(code)) and pattern.search(text):
        strange.update(word for word in found if pattern.search(word))
    return len(strange) > 1 and len(strange) >= STRANGE * len(found)


def _with_script(beliefs: dict[str, float], scripts: Counter[str], text: str) -> dict[str, float]:
    """Where a script that one language writes has the majority, its share decides; the rest is as before."""
    counts = dict(scripts)
    kana, han, hangul = (counts.get(code, 0) for code in ("ja", "zh", "ko"))
    if hangul > kana and hangul >= KANA * (hangul + han):  # no Chinese text has Hangul
        counts["ko"] = hangul + counts.pop("zh", 0)
    elif kana >= KANA * (kana + han):
        counts["ja"] = kana + counts.pop("zh", 0)
    if counts.get("shared") and kana + han + hangul >= NAMED * scripts.total():
        names = sum(map(len, _CAPITALISED.findall(text)))  # in Latin letters: of no language
        counts["shared"] = max(counts["shared"] - names, 0)
    script = max(counts, key=counts.__getitem__)
    share = counts[script] / sum(counts.values())
    if script in ("shared", "unknown") or share < 0.5:
        return beliefs
    decided = {script: 1.0}
    if script == "zh":  # without kana it may be a Japanese headline
        forms = 2 * len(_JAPANESE_FORM.findall(text))
        decided = (
            {"ja": 0.9, "zh": 0.1}
            if forms >= JAPANESE_FORMS * han
            else _either(beliefs)
            if _could_be_japanese(text)
            else {c: beliefs.get(c, _NEGLIGIBLE) for c in ("zh", "ja")}
        )
    elif script == "he" and (_YIDDISH.search(text) or len(_YIDDISH_WORD.findall(text)) > 1):
        decided = {"yi": 1.0}
    scale = share / sum(decided.values())
    mixed = {code: (1 - share) * belief for code, belief in beliefs.items()}
    return mixed | {code: mixed.get(code, 0.0) + scale * belief for code, belief in decided.items()}


def _either(beliefs: dict[str, float]) -> dict[str, float]:
    """Chinese or Japanese, with the first opinion's choice first."""
    chinese = beliefs.get("zh", 0.0) >= beliefs.get("ja", 0.0)
    return {"zh": 0.46, "ja": 0.44} if chinese else {"zh": 0.44, "ja": 0.46}


def _could_be_japanese(text: str) -> bool:
    """Whether characters without kana may be a Japanese headline.

    It has no particle of Chinese, and hardly a form that is not on the first level of JIS X 0208, where the
    common characters of today's Japanese are.
    """
    if _CHINESE_PARTICLE.search(text):
        return False
    characters = _HAN.findall(text)
    chinese = sum(not _on_first_level(character) for character in characters)
    return chinese < CHINESE_FORMS * len(characters)


@cache
def _on_first_level(character: str) -> bool:
    try:
        return 0xB0 <= character.encode("euc_jp")[0] <= 0xCF
    except UnicodeEncodeError:
        return False


def _with_second_opinion(beliefs: dict[str, float], best: str, text: str) -> dict[str, float]:
    """Linear opinion pool with langdetect, unless it cannot know: it is sure of a wrong answer then."""
    from langdetect.lang_detect_exception import LangDetectException

    factory = _langdetect()
    if best not in {_FOLDED.get(code, code) for code in factory.get_lang_list()}:
        return beliefs
    detector = _quick()(factory)
    detector.append(text.lower() if text.isupper() else text)  # it passes over words in capitals
    try:
        opinions = detector.get_probabilities()
    except LangDetectException:  # no n-gram that it knows
        return beliefs
    pooled = {code: (1 - SECOND_WEIGHT) * belief for code, belief in beliefs.items()}
    for opinion in opinions:
        code = _FOLDED.get(opinion.lang, opinion.lang)
        pooled[code] = pooled.get(code, 0.0) + SECOND_WEIGHT * opinion.prob
    return pooled


@cache
def _quick() -> type[Detector]:
    """langdetect's detector with its arithmetic in numpy: the same numbers to the last bit, sooner."""
    import numpy as np
    from langdetect.detector import Detector

    class Quick(Detector):  # type: ignore[misc]
        def _init_probability(self) -> Floats:
            return np.array(super()._init_probability())

        def _update_lang_prob(self, prob: Floats, word: str, alpha: float) -> bool:
            rows = self.word_lang_prob_map
            row = rows[word]
            if isinstance(row, list):
                row = rows[word] = np.array(row)
            prob *= alpha / self.BASE_FREQ + row
            return True

        def _normalize_prob(self, prob: Floats) -> float:
            prob /= sum(prob.tolist())  # in langdetect's order: a sum of numpy's may differ in the last bit
            return float(prob.max())

    return Quick


def _py3langid() -> LanguageIdentifier:
    with _loading:
        return _load_py3langid()


def _langdetect() -> DetectorFactory:
    with _loading:
        return _load_langdetect()


@cache
def _load_py3langid() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@cache
def _load_langdetect() -> DetectorFactory:
    from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory

    factory = DetectorFactory()  # of our own: the module's is shared by everyone in the process
    factory.load_profile(PROFILES_DIRECTORY)
    factory.set_seed(0)
    return factory
