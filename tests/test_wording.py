"""Nothing but the wording moves a score: harmless changes in every language, and the kinds of cases that did.

``CHANGES`` is data: a change is a name, what it does to a post, and the languages that it is made in.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import cycle

import pytest

from checker import Checker, letters
from checker.languages import SUPPORTED
from checker.result import Result
from checker.verdict.model import logit

MOST = 0.5  # log-odds that a harmless change may move
ROUNDED = 0.02  # log-odds, of a probability of four digits

# Two sentences a language, written for these tests.
POSTS = {
    "ar": "أعلنت البلدية إغلاق الجسر القديم يوم الجمعة بسبب أعمال الصيانة. يرجى من السكان استخدام العبارة في مركز المدينة.",
    "bg": "Общината съобщава, че старият мост ще бъде затворен в петък заради ремонт. Моля, използвайте ферибота до центъра.",
    "cs": "Město oznamuje, že starý most bude v pátek kvůli opravě uzavřen. Prosíme občany, aby použili přívoz u přístavu.",
    "de": "Die Stadt teilt mit, dass die alte Brücke am Freitag wegen Bauarbeiten geschlossen bleibt. Bitte nutzen Sie die Fähre in der Hafenstraße.",
    "el": "Ο δήμος ανακοινώνει ότι η παλιά γέφυρα θα κλείσει την Παρασκευή λόγω έργων. Παρακαλούμε χρησιμοποιήστε το πλοίο στο λιμάνι.",
    "en": "The city council has decided to close the old bridge on Friday because of repair work. Please take the ferry near the harbour instead.",
    "es": "El ayuntamiento anuncia que el puente viejo se cerrará el viernes por obras. Se ruega a los vecinos que usen el transbordador del puerto.",
    "fa": "شهرداری می‌گوید پل قدیمی روز جمعه برای تعمیرات بسته می‌شود. از شهروندان خواسته شده‌است از قایق‌های مرکز شهر استفاده کنند.",
    "fi": "Kaupunki ilmoittaa, että vanha silta suljetaan perjantaina korjaustöiden vuoksi. Pyydämme asukkaita käyttämään sataman lauttaa.",
    "fr": "La mairie annonce que le vieux pont sera fermé vendredi en raison des travaux. Merci aux habitants de prendre le bac près du port.",
    "he": "העירייה מודיעה כי הגשר הישן ייסגר ביום שישי בשל עבודות שיפוץ. התושבים מתבקשים להשתמש במעבורת שליד הנמל.",
    "hi": "नगर निगम ने बताया कि मरम्मत के कारण पुराना पुल शुक्रवार को बंद रहेगा। कृपया बंदरगाह के पास की नाव का उपयोग करें।",
    "hu": "A város közli, hogy a régi híd pénteken javítás miatt zárva lesz. Kérjük a lakókat, hogy használják a kikötő melletti kompot.",
    "it": "Il comune comunica che il vecchio ponte sarà chiuso venerdì per lavori. Si pregano i cittadini di prendere il traghetto vicino al porto.",
    "ja": "市は、古い橋を金曜日に補修工事のため閉鎖すると発表した。住民の皆さんは、港の近くの渡し船を利用してください。",
    "ko": "시는 보수 공사 때문에 오래된 다리를 금요일에 폐쇄한다고 밝혔다. 주민들은 항구 근처의 나룻배를 이용해 주시기 바랍니다.",
    "nl": "De gemeente meldt dat de oude brug vrijdag dicht is vanwege werkzaamheden. Bewoners kunnen de veerboot bij de haven nemen.",
    "pl": "Urząd miasta informuje, że stary most będzie w piątek zamknięty z powodu remontu. Prosimy mieszkańców o korzystanie z promu przy porcie.",
    "pt": "A câmara anuncia que a ponte velha estará fechada na sexta-feira por causa das obras. Pede-se aos moradores que usem o barco junto ao porto.",
    "ro": "Primăria anunță că podul vechi va fi închis vineri din cauza lucrărilor. Rugăm locuitorii orașului să folosească bacul și să aibă răbdare.",
    "ru": "Администрация сообщает, что старый мост ещё закрыт на ремонт. Просим жителей пользоваться паромом, пока идёт приём работ у причала.",
    "sv": "Kommunen meddelar att den gamla bron stängs på fredag på grund av reparationer. Vi ber de boende att ta färjan vid hamnen.",
    "tr": "Belediye, eski köprünün onarım nedeniyle cuma günü kapalı olacağını duyurdu. Sakinlerin limanın yanındaki vapuru kullanması rica olunur.",
    "uk": "Міська рада повідомляє, що старий міст зачинять у п'ятницю через ремонт. Просимо мешканців користуватися поромом біля причалу.",
    "zh": "市政府通知，老桥因维修将于周五封闭，请市民提前安排好时间。居民可以改乘港口附近的渡船，对不便之处深表歉意。",
}  # fmt: skip

LATIN = {"cs", "de", "en", "es", "fi", "fr", "hu", "it", "nl", "pl", "pt", "ro", "sv", "tr"}
CYRILLIC = {"bg", "ru", "uk"}
CASED = LATIN | CYRILLIC | {"el"}
OTHERS = set(SUPPORTED) - LATIN
ALL = set(SUPPORTED)
SPACED = ALL - {"ja", "zh"}
SOME = {"ar", "de", "en", "hi", "ja", "ru"}  # one of a script, for what has nothing to do with the language
STOPS = {"hi": "।", "ja": "。", "zh": "。"}
Change = Callable[[str, str], str]


def swap(one: str, other: str) -> Change:
    table = str.maketrans(one, other)
    return lambda text, language: text.translate(table)


def last(text: str, language: str) -> str:
    """The last sentence."""
    return text.split(STOPS.get(language, "."))[-2].strip() + STOPS.get(language, ".")


def inside(added: str) -> Change:
    """Put something before the first full stop."""

    def change(text: str, language: str) -> str:
        stop = STOPS.get(language, ".")
        return text.replace(stop, added + stop, 1)

    return change


def upper(text: str, language: str) -> str:
    return (text.replace("i", "İ") if language == "tr" else text).upper()


def bold(text: str, language: str) -> str:
    return "".join(
        chr(ord(c) - 97 + 0x1D41A)
        if "a" <= c <= "z"
        else chr(ord(c) - 65 + 0x1D400)
        if "A" <= c <= "Z"
        else c
        for c in text
    )


def wide(text: str, language: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def marked(marks: str, first: str, last: str) -> Change:
    """Marks in turn on every letter from the first to the last."""

    def change(text: str, language: str) -> str:
        turn = cycle(marks)
        return "".join(c + next(turn) if first <= c <= last else c for c in text)

    return change


def titled(text: str, language: str) -> str:
    """With a capital on every word."""
    return " ".join(letters.raised(word[0], language) + word[1:] for word in text.split(" "))


def branded(text: str, language: str) -> str:
    """One name in another script, or where there is none in the same, between two words."""
    brand = "Телеграм" if language in LATIN else "Microsoft"
    if language in ("ja", "zh"):
        return text.replace(
            "，" if language == "zh" else "、", f"{brand}" + ("，" if language == "zh" else "、"), 1
        )
    first, second, rest = text.split(" ", 2)
    return " ".join([first, second, brand, rest])


CHANGES: list[tuple[str, Change, set[str]]] = [
    ("capitals", upper, CASED),
    ("small letters", lambda text, _: text.lower(), CASED),
    ("a title", titled, CASED),
    ("a telephone number", lambda text, _: f"{text} +44 20 7946 0123", ALL),
    ("a telephone line", lambda text, _: f"{text} Tel. 020-7946-0123", ALL),
    ("a brand", branded, ALL - {"uk"}),
    ("bold letters", bold, LATIN),
    ("full-width letters", wide, LATIN),
    ("small capitals", swap("abcdeghijklmnoprtuvwyz", "ᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ"), {"en"}),
    ("Cyrillic look-alikes", swap("aeocp", "аеоср"), LATIN),
    ("Latin look-alikes", swap("аеоср", "aeocp"), CYRILLIC),
    ("a look-alike", lambda text, _: text.replace("a", "а", 1), LATIN - {"de"}),
    ("struck out", lambda text, _: "".join(c + "\u0336" if c.isalpha() else c for c in text), LATIN),
    ("hashtags", lambda text, _: text + " #OpenCity #PublicWorks #StaySafe #RoadClosed2024", ALL),
    ("hashtags on a line", lambda text, _: "#OpenCity #Works\n" + text + "\n\n#StaySafe", ALL),
    ("a credit", lambda text, _: text + "\nPhoto: John Smith, City Press", ALL),
    (
        "three credits",
        lambda text, _: text + "\nPhoto: Ann Lee\nVideo: City TV\nDesign: A. Brown Studio",
        ALL,
    ),
    ("a credit in brackets", lambda text, _: text + " (Photo: John Smith, City Press)", ALL),
    ("a line of English names", lambda text, _: text + "\nPress Office of the Harbour City Council", OTHERS),
    ("an English name", inside(" (European Bank for Reconstruction and Development)"), OTHERS),
    ("leader dots", inside(" .........."), SPACED),
    ("a rule", lambda text, _: "══════════\n" + text + "\n----------", ALL),
    ("ornaments", lambda text, _: "★·.·´¯`·.·★ " + text + " ~~~***~~~", ALL),
    ("many exclamation marks", lambda text, _: text[:-1] + "!" * 40, ALL),
    ("emoji for a full stop", lambda text, _: text.replace(". ", " 🚫 "), CASED),
    ("emoji around", lambda text, _: "🔴🔴 " + text + " 🙏🏽🎉", ALL),
    ("a link and a mention", lambda text, _: text + " https://city.example/a?b=1 @city_example", ALL),
    ("a footer three times", lambda text, language: "\n".join([text, *[last(text, language)] * 3]), ALL),
    ("a tag with a script", lambda text, _: f"<p>{text}</p><script>var a = 'x' < 1;</script>", ALL),
    ("a style sheet", lambda text, _: "<style>.notice { color: red }</style>" + text, ALL),
    ("a soft hyphen and a zero width space", lambda text, _: text.replace(" ", " \u200b\u00ad"), SPACED),
    ("no-break spaces", lambda text, _: text.replace(" ", "\u00a0"), SPACED),
    ("kashida", lambda text, _: text.replace("س", "ســ"), {"ar"}),
    ("cedillas", swap("șțȘȚ", "şţŞŢ"), {"ro"}),
    ("е for ё", swap("ёЁ", "еЕ"), {"ru"}),
    ("a stress mark", lambda text, _: text.replace("и", "и\u0301", 1), {"ru", "uk", "bg"}),
    ("ss for ß", lambda text, _: text.replace("ß", "ss"), {"de"}),
    ("blanks for half spaces", lambda text, _: text.replace("\u200c", " "), {"fa"}),
    ("Arabic letters", swap("یک", "يك"), {"fa"}),
    ("Persian letters", swap("يك", "یک"), {"ar"}),
    ("no half spaces", lambda text, _: text.replace("\u200c", ""), {"fa"}),
    ("a hashtag between two signs", lambda text, _: text + " #城市新闻# #交通#", {"zh"}),
    ("vowels", marked("\u064e\u064f\u0650\u0652\u0651\u064b", "\u0621", "\u064a"), {"ar", "fa"}),
    ("vowels", marked("\u05b8\u05b6\u05b4\u05b0\u05bc\u05b7", "\u05d0", "\u05ea"), {"he"}),
    ("a few vowels", lambda text, _: text.replace("ة", "ةً").replace("ل", "لّ"), {"ar"}),
    (
        "letters and marks apart",
        lambda text, _: unicodedata.normalize("NFD", text),
        LATIN - {"en", "nl"} | {"ko"},
    ),
    (
        "heaps of marks",
        lambda text, _: "".join(c + "\u0334\u0316\u0322" if c.isalpha() else c for c in text),
        LATIN,
    ),
    ("all in quotes", lambda text, _: f"«{text}»", ALL),
    ("all in brackets", lambda text, _: f"[{text}]", SOME),
    ("a thread counter", lambda text, _: f"{text} (1/3)", SOME | {"ko"}),
    ("a counter in front", lambda text, _: f"1/3 {text}", SOME | {"ko"}),
    ("a face", lambda text, _: f"{text} (╯°□°)╯", SOME | {"fi"}),
    ("a comment and a frame", lambda text, _: f"{text}<!-- x --><iframe src='a'>No frames.</iframe>", SOME),
    ("other tags", lambda text, _: f"<article><label>{text}</label></article>", SOME | {"uk"}),
    ("bulletin board codes", lambda text, _: f"[b]{text}[/b] [url=https://city.example]", SOME | {"fi"}),
    ("list marks", lambda text, _: "- " + text.replace(". ", ".\n- "), CASED),
    ("a credit without a colon", lambda text, _: f"{text}\nPhoto by John Smith", SOME | {"hu"}),
    ("a camera and a name", lambda text, _: f"{text}\n📷 John Smith", SOME),
    ("two credits on a line", lambda text, _: f"{text}\nText: Ann Lee | Photo: City Press", SOME),
    ("an address", lambda text, _: f"{text} press@city.example", SOME | {"ko"}),
    ("a name in a third script", inside(" (Министерство обороны)"), LATIN | {"el", "he"}),
    ("a name without blanks", inside(" (华为技术有限公司)"), LATIN | CYRILLIC),
    ("a name with a number", inside(" (Boeing 737-800 MAX)"), OTHERS),
    ("many dots at the end", lambda text, _: text[:-1] + "......", ALL),
    ("half-width punctuation", lambda text, _: text.replace("、", ", ").replace("。", ". ").strip(), {"ja"}),
    ("a full stop for a danda", swap("।", "."), {"hi"}),
    ("a blank before a danda", lambda text, _: text.replace("।", " ।"), {"hi"}),
    ("a not sign for a half space", swap("\u200c", "¬"), {"fa"}),
    ("a pipe for a danda", lambda text, _: text.replace("।", " |"), {"hi"}),
    (
        "half-width punctuation",
        lambda text, _: text.replace("，", ", ").replace("。", ". ").replace("、", ", ").strip(),
        {"zh"},
    ),
]


ROWS = [
    (name, language, change(POSTS[language], language))
    for language in SUPPORTED  # those of a language together: what reads alike is read once
    for name, change, languages in CHANGES
    if language in languages
]


FAR = {("a title", "fi"): 0.9}
"""Changes that move the log-odds by more than ``MOST``, and by how much at most; docs/limits.md names them."""


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker(round_trip=False, fluency=False)


@pytest.fixture(scope="module")
def plain(checker: Checker) -> dict[str, Result]:
    return dict(zip(POSTS, checker.score_many(POSTS.values()), strict=True))


@pytest.fixture(scope="module")
def changed(checker: Checker) -> dict[str, Result]:
    posts = [post for *_, post in ROWS]
    return dict(zip(posts, checker.score_many(posts), strict=True))


def moved(one: Result, other: Result) -> float:
    assert one.machine_translated is not None
    assert other.machine_translated is not None
    return abs(logit(one.machine_translated) - logit(other.machine_translated))


@pytest.mark.parametrize("language", SUPPORTED)
def test_the_posts_are_scored_and_none_is_flagged(plain: dict[str, Result], language: str) -> None:
    assert plain[language].language.code == language
    assert plain[language].verdict in ("uncertain", "human_written")


@pytest.mark.parametrize(
    ("name", "language", "post"), [pytest.param(*row, id=f"{row[1]}-{row[0]}") for row in ROWS]
)
def test_a_harmless_change_moves_no_score(
    changed: dict[str, Result], plain: dict[str, Result], name: str, language: str, post: str
) -> None:
    assert post != POSTS[language]
    result = changed[post]
    assert result.verdict not in ("machine_translated", "rudimentary")
    assert result.language.code == language
    if result.verdict == "not_scored":
        assert {warning.code for warning in result.warnings} == {"mixed_scripts"}
    else:
        assert moved(plain[language], result) <= FAR.get((name, language), MOST)


# Pairs that were far apart: the same statement, dressed up.
PAIRS = [
    (
        "Проєкт фінансує Європейський банк реконструкції та розвитку, а роботи на мосту виконує місцева компанія.",
        "Проєкт фінансує European Bank for Reconstruction and Development (EBRD), а роботи на мосту виконує компанія City Bridge Repair Ltd.",
    ),
    (
        "Το έργο χρηματοδοτεί η Ευρωπαϊκή Τράπεζα, ενώ τις εργασίες στη γέφυρα εκτελεί τοπική εταιρεία.",
        "Το έργο χρηματοδοτεί η European Bank for Reconstruction and Development (EBRD), ενώ τις εργασίες στη γέφυρα εκτελεί η City Bridge Repair Ltd.",
    ),
    (
        "该项目由欧洲复兴开发银行资助，桥梁维修工程由本地公司负责实施，预计年底前完工。",
        "该项目由European Bank for Reconstruction and Development（EBRD）资助，桥梁维修工程由City Bridge Repair Ltd负责实施，预计年底前完工。",
    ),
    (
        "Міська рада повідомляє, що старий міст зачинять у п'ятницю, бо ремонт не встигають завершити вчасно.",
        "Міська рада повідомляє, що старий міст зачинять у п'ятницю, бо ремонт не встигають завершити вчасно.\nPhoto: John Smith, City Press\nVideo: City TV Channel One\nDesign: Anna Brown Studio",
    ),
    (
        "市政府通知，老桥因维修将于周五封闭，请市民提前安排好出行时间，改乘渡船过河。",
        "市政府通知，老桥因维修将于周五封闭，请市民提前安排好出行时间，改乘渡船过河。\nPhoto: John Smith, City Press\nVideo: City TV Channel One\nDesign: Anna Brown Studio",
    ),
    (
        "市は、古い橋を金曜日に閉鎖すると発表した。工事が期限までに終わらないためで、フェリーの利用を呼びかけている。",
        "市は、古い橋を金曜日に閉鎖すると発表した。工事が期限までに終わらないためで、フェリーの利用を呼びかけている。\nPhoto: John Smith, City Press\nVideo: City TV Channel One\nDesign: Anna Brown Studio",
    ),
    (
        "Общината съобщава, че старият мост ще бъде затворен в петък, защото ремонтът няма да приключи навреме.",
        "Общината съобщава, че старият мост ще бъде затворен в петък, защото ремонтът няма да приключи навреме. #OpenCity #PublicWorks #StaySafe #RoadClosed",
    ),
    (
        "Horaires de la mairie cette semaine : lundi 9h-12h, mardi 9h-17h, mercredi fermé, jeudi 9h-12h, vendredi 9h-16h.",
        "Horaires de la mairie cette semaine : lundi .......... 9h-12h, mardi .......... 9h-17h, mercredi .......... fermé, jeudi .......... 9h-12h, vendredi .......... 9h-16h.",
    ),
    (
        "Merci à tous les bénévoles et aux pompiers de notre ville pour leur travail cette nuit, vous êtes formidables!",
        "Merci à tous les bénévoles et aux pompiers de notre ville pour leur travail cette nuit, vous êtes formidables!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!",
    ),
    (
        "Președintele consiliului a semnat astăzi contractul de finanțare pentru reabilitarea școlii și a grădiniței din sat.",
        "Preşedintele consiliului a semnat astăzi contractul de finanţare pentru reabilitarea şcolii şi a grădiniţei din sat.",
    ),
    (
        "Pompierii au stins focul după trei ore, iar cinci răniți au ajuns la spital și starea lor este stabilă.",
        "Pompierii au stins focul după trei ore, iar cinci răniţi au ajuns la spital şi starea lor este stabilă.",
    ),
    (
        "استاندار می‌گوید جاده‌های کوهستانی بسته شده‌اند و گروه‌های امدادی به روستاها رفته‌اند تا به خانواده‌ها کمک کنند.",
        "استاندار می گوید جاده های کوهستانی بسته شده اند و گروه های امدادی به روستاها رفته اند تا به خانواده ها کمک کنند.",
    ),
    (
        "هواشناسی پیش‌بینی می‌کند که بارندگی‌ها تا پایان هفته ادامه می‌یابد و رودخانه‌ها بالا می‌آیند.",
        "هواشناسی پیش بینی می کند که بارندگی ها تا پایان هفته ادامه می یابد و رودخانه ها بالا می آیند.",
    ),
    (
        "政府宣布新的住房政策将于明年一月起实施，符合条件的家庭可以在网上提出申请。",
        "政府宣布新的住房政策将于明年一月起实施, 符合条件的家庭可以在网上提出申请.",
    ),
    (
        "警方呼吁市民不要前往市中心，因为大雪导致道路湿滑，多趟公交车已经停运。",
        "警方呼吁市民不要前往市中心, 因为大雪导致道路湿滑, 多趟公交车已经停运.",
    ),
    (
        "The city council has decided to close the old bridge on Friday because the repair work cannot be finished in time.",
        "Ｔｈｅ ｃｉｔｙ ｃｏｕｎｃｉｌ ｈａｓ ｄｅｃｉｄｅｄ ｔｏ ｃｌｏｓｅ ｔｈｅ ｏｌｄ ｂｒｉｄｇｅ ｏｎ Ｆｒｉｄａｙ ｂｅｃａｕｓｅ ｔｈｅ ｒｅｐａｉｒ ｗｏｒｋ ｃａｎｎｏｔ ｂｅ ｆｉｎｉｓｈｅｄ ｉｎ ｔｉｍｅ．",
    ),
    (
        "The old bridge is closed today because of roadworks, so please take the ferry instead.",
        "The old bridge is closed today because of roadworks, so please take the ferry instead. #RoadClosed #CityCouncil #StaySafe #TrafficUpdate #Roadworks2024 #Springfield #PublicNotice",
    ),
]  # fmt: skip


GREEK = 0.55
"""Log-odds that two names in Latin letters may move a Greek statement; docs/limits.md names it."""


@pytest.mark.parametrize(("plain", "dressed"), PAIRS)
def test_the_same_statement_dressed_up_scores_the_same(checker: Checker, plain: str, dressed: str) -> None:
    one, other = checker.score_many([plain, dressed])
    assert one.verdict == other.verdict != "machine_translated"
    assert one.language.code == other.language.code
    assert moved(one, other) <= (GREEK if one.language.code == "el" else MOST)


@pytest.mark.parametrize(
    "post",
    [
        "Thе сіty соunсіl hаs dесіdеd tо сlоsе thе оld brіdgе оn Frіdаy bесаusе thе rераіr wоrk саnnоt bе fіnіshеd іn tіmе.",
        "Offісіаls ореnеd а nеw сlіnіс оn thе іslаnd tоdаy, аnd thе fіrst раtіеnts аrrіvеd bеfоrе nооn.",
        "Aдминистрация города сообщает, что cтарый мост закроют в пятницу, потому что ремонт не успевают закончить в срок.",
    ],
)  # fmt: skip
def test_a_post_with_look_alikes_gets_a_warning_and_no_verdict(checker: Checker, post: str) -> None:
    result = checker.score(post)
    assert result.verdict == "not_scored"
    assert result.machine_translated is None
    assert [warning.code for warning in result.warnings] == ["mixed_scripts"]


def test_a_post_that_is_mostly_in_another_script_gets_a_warning_and_no_verdict(checker: Checker) -> None:
    result = checker.score(
        "Програму наших партнерів підтримали всі.\n" + "Old Harbour Bridge Trust Fund\n" * 9
    )
    assert result.verdict == "not_scored"
    assert [warning.code for warning in result.warnings] == ["sentences_set_aside", "mostly_set_aside"]


def test_a_line_in_another_script_is_set_aside_with_a_warning(checker: Checker) -> None:
    result = checker.score(POSTS["uk"] + "\nPress Office of the Harbour City Council")
    assert [sentence.language for sentence in result.sentences] == ["uk", "uk", None]
    assert result.sentences[-1].machine_translated is None
    assert "1 of 3 sentences are not scored" in result.warnings[0].text


def test_sentences_in_another_script_keep_their_own_language(checker: Checker) -> None:
    result = checker.score(POSTS["uk"] + " " + POSTS["en"])
    assert [sentence.language for sentence in result.sentences] == ["uk", "uk", "en", "en"]
    assert result.language.mixed


def test_a_repeated_sentence_counts_once(checker: Checker) -> None:
    footer = "Follow our channel for more news about the harbour bridge."
    once, thrice = checker.score_many(
        [f"{POSTS['en']} {footer}", f"{POSTS['en']} {footer} {footer} {footer}"]
    )
    assert once.machine_translated == thrice.machine_translated
    assert once.columns == thrice.columns
    assert len(thrice.sentences) == 5
    again = f"{POSTS['en']} {footer} {POSTS['en']}"
    assert checker.score(again).style == once.style, "the first place of a sentence is its place"


@pytest.mark.parametrize(
    ("post", "told"),
    [
        ("Thе сіty соunсіl hаs dесіdеd tо сlоsе thе оld brіdgе оn Frіdаy.", "letters of its language"),
        ("Програму наших партнерів підтримали всі.\n" + "Old Harbour Bridge Trust Fund\n" * 9, "own wording"),
    ],
)
def test_the_advice_is_not_to_write_more_where_letters_are_the_problem(
    checker: Checker, post: str, told: str
) -> None:
    (said,) = checker.score(post).advice
    assert told in said


def test_sentences_keep_their_own_language_where_the_post_has_none(checker: Checker) -> None:
    result = checker.score(
        "Весе ломантне чачить олякстомокс ды эквань правасост. Today we are launching a new service for all."
    )
    assert [sentence.language for sentence in result.sentences] == [None, "en"]


def test_text_that_its_language_model_cannot_read_is_not_scored() -> None:
    unread = Checker(round_trip=False)
    text = "Zorp blikken frabjous glemt; snarf vorpal quixit wabe trell, ombly drimp skaz plonk fnord."
    result = unread.score(text)
    assert result.verdict == "not_scored"
    named = Checker(round_trip=False, language="en").score(text)
    assert named.verdict != "not_scored"


@pytest.mark.parametrize(
    ("base", "other"),
    [
        (
            "La città è pronta perché il traghetto è già là, e più tardi ci sarà un'altra opportunità.",
            "La città é pronta perchè il traghetto é già là, e più tardi ci sarà un’altra opportunità.",
        ),
        (
            "نیروهای امدادی به خانه‌های آسیب‌دیده رفته‌اند و کمک‌های مردمی را می‌رسانند تا خانواده‌ها نگران نباشند.",
            "نیروهای امدادی به خانههای آسیبدیده رفتهاند و کمکهای مردمی را میرسانند تا خانوادهها نگران نباشند.",
        ),
    ],
)
def test_accents_and_half_spaces_of_the_keyboard(checker: Checker, base: str, other: str) -> None:
    assert moved(checker.score(base), checker.score(other)) <= MOST
