"""Language identification: 25 supported languages, their neighbours, scripts, noise, threads."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker import language
from checker.language import LIKELY, SHOWN, UNLIKELY, identify
from checker.languages import SUPPORTED

# Two posts a language, written for these tests.
POSTS = {
    "ar": (
        "أعلنت وزارة الصحة اليوم عن فتح مراكز تطعيم جديدة في جميع المحافظات.",
        "تدعو البلدية السكان إلى ترشيد استهلاك المياه خلال موجة الحر.",
    ),
    "bg": (
        "Министерството на вътрешните работи призовава гражданите да избягват пътуванията през нощта.",
        "Утре училищата в общината ще бъдат затворени заради снега.",
    ),
    "cs": (
        "Ministerstvo dopravy upozorňuje řidiče na uzavírku dálnice mezi Brnem a Vyškovem.",
        "Hasiči v noci zasahovali u požáru skladu, nikdo nebyl zraněn.",
    ),
    "de": (
        "Die Feuerwehr bittet alle Anwohner, Fenster und Türen geschlossen zu halten.",
        "Wegen Bauarbeiten fährt die Straßenbahn am Wochenende nicht.",
    ),
    "el": (
        "Το υπουργείο καλεί τους πολίτες να μην πλησιάζουν τις όχθες του ποταμού.",
        "Αύριο τα σχολεία θα παραμείνουν κλειστά λόγω της κακοκαιρίας.",
    ),
    "en": (
        "The embassy advises all citizens to avoid large gatherings this weekend.",
        "Engineers are working through the night to restore power to the harbour district.",
    ),
    "es": (
        "El ayuntamiento recuerda a los vecinos que mañana habrá cortes de agua en el centro.",
        "La ministra viajará el jueves a Bruselas para reunirse con sus homólogos.",
    ),
    "fa": (
        "سازمان هواشناسی نسبت به وقوع طوفان در استان‌های جنوبی هشدار داد.",
        "وزیر بهداشت گفت که واکسن‌ها تا پایان هفته توزیع می‌شوند.",
    ),
    "fi": (
        "Pelastuslaitos kehottaa asukkaita pitämään ikkunat kiinni savun vuoksi.",
        "Hallitus esittelee uuden budjettinsa eduskunnalle ensi viikolla.",
    ),
    "fr": (
        "La préfecture appelle les habitants à ne pas se déplacer pendant la tempête.",
        "Les pompiers ont maîtrisé l'incendie dans la nuit, sans faire de blessés.",
    ),
    "he": (
        "פיקוד העורף מבקש מהתושבים להישאר בקרבת המרחב המוגן עד להודעה חדשה.",
        "משרד התחבורה הודיע כי הכביש ייפתח מחדש מחר בבוקר.",
    ),
    "hi": (
        "मौसम विभाग ने अगले दो दिनों के लिए भारी बारिश की चेतावनी जारी की है।",
        "सरकार ने किसानों के लिए नई योजना की घोषणा की।",
    ),
    "hu": (
        "A katasztrófavédelem arra kéri a lakosságot, hogy kerülje a folyópartot.",
        "Holnaptól lezárják a hidat, a buszok terelőúton közlekednek.",
    ),
    "it": (
        "La protezione civile invita i cittadini a non mettersi in viaggio durante l'allerta.",
        "Il sindaco ha firmato l'ordinanza che chiude le scuole per due giorni.",
    ),
    "ja": (
        "気象庁は、九州地方に大雨特別警報を発表しました。",
        "外務大臣は来週、インドを訪問する予定です。",
    ),
    "ko": (
        "정부는 내일부터 모든 학교의 수업을 정상화한다고 밝혔습니다.",
        "소방당국은 산불이 완전히 진화되었다고 전했다.",
    ),
    "nl": (
        "De gemeente vraagt inwoners om de komende dagen zuinig te zijn met drinkwater.",
        "Door een storing rijden er vanochtend minder treinen rond Utrecht.",
    ),
    "pl": (
        "Policja apeluje do kierowców o zachowanie ostrożności na oblodzonych drogach.",
        "W sobotę odbędą się ćwiczenia wojskowe, syreny zabrzmią w południe.",
    ),
    "pt": (
        "A prefeitura informa que as aulas estão suspensas por causa das chuvas.",
        "O governo não vai aumentar os impostos este ano, disse o ministro.",
    ),
    "ro": (
        "Autoritățile îi sfătuiesc pe locuitori să rămână în case până la încetarea furtunii.",
        "Președintele se va întâlni mâine cu ambasadorul francez.",
    ),
    "ru": (
        "Жителей области просят не выходить на лёд: он ещё слишком тонкий.",
        "Министр обороны провёл совещание с командующими округами.",
    ),
    "sv": (
        "Räddningstjänsten uppmanar boende i området att stanna inomhus.",
        "Regeringen vill höja anslagen till försvaret redan nästa år.",
    ),
    "tr": (
        "Valilik, yoğun kar yağışı nedeniyle okulların iki gün tatil edildiğini duyurdu.",
        "Bakanlık sözcüsü görüşmelerin önümüzdeki hafta süreceğini söyledi.",
    ),
    "uk": (
        "Рятувальники закликають мешканців міста не нехтувати сигналами тривоги.",
        "Уряд виділив кошти на відбудову шкіл і лікарень.",
    ),
    "zh": (
        "气象部门提醒市民，今晚到明天将有强降雨，请尽量减少外出。",
        "外交部發言人今天下午舉行記者會，回應各界關切。",
    ),
}
NEIGHBOURS = {
    "az": (
        "Fövqəladə Hallar Nazirliyi vətəndaşları çay kənarına yaxınlaşmamağa çağırır.",
        "Prezident bu gün yeni məktəbin açılışında iştirak edib.",
    ),
    "be": (
        "Міністэрства паведаміла, што рух па мосце будзе адноўлены ў панядзелак.",
        "Сіноптыкі папярэджваюць пра моцны вецер і дождж уначы.",
    ),
    "hy": ("Կառավարությունը հայտարարել է նոր ծրագրի մասին։", "Վաղը դպրոցները փակ կլինեն ձյան պատճառով։"),
    "ka": ("სამინისტრომ მოსახლეობას სიფრთხილისკენ მოუწოდა.", "ხვალ ქალაქში სკოლები დაიკეტება."),
    "kk": (
        "Төтенше жағдайлар министрлігі тұрғындарды мұзға шықпауға шақырады.",
        "Президент ертең жаңа аурухананың ашылуына қатысады.",
    ),
    "ps": ("د روغتیا وزارت وايي چې نوي روغتونونه به په ټول هېواد کې پرانیستل شي.",),
    "id": ("Pemerintah mengimbau warga untuk tidak bepergian selama cuaca buruk.",),
    "gl": (
        "A Xunta pídelle á veciñanza que non saia da casa mentres dure o temporal.",
        "O concello informa de que mañá non haberá auga nas rúas do centro.",
        "A Xunta de Galicia anunciou obras na ponte vella.",
    ),
    "ca": (
        "L'ajuntament demana als veïns que no surtin de casa mentre duri la ventada.",
        "Els bombers han controlat l'incendi aquesta matinada sense ferits.",
    ),
    "sr": (
        "Министарство позива грађане да не прилазе обали реке док траје поплава.",
        "Школе ће сутра бити затворене због снега, рекао је градоначелник.",
    ),
}
CERTAIN = 0.8  # a wrong answer must stay below


def cases(posts: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(code, text) for code, texts in posts.items() for text in texts]


def test_every_supported_language_has_posts() -> None:
    assert set(POSTS) == set(SUPPORTED)
    assert len(SUPPORTED) == 25


@pytest.mark.parametrize(("code", "text"), cases(POSTS))
def test_supported_languages(code: str, text: str) -> None:
    found = identify(text)
    assert found.code == code
    assert found.confidence >= 0.8


@pytest.mark.parametrize(("code", "text"), cases(NEIGHBOURS))
def test_neighbours_are_not_taken_for_a_supported_language(code: str, text: str) -> None:
    found = identify(text)
    assert found.code == code
    assert found.confidence >= 0.5


@pytest.mark.parametrize(("code", "text"), cases(POSTS | NEIGHBOURS))
def test_a_few_words_are_right_or_doubtful(code: str, text: str) -> None:
    found = identify(text[:20])
    assert found.code == code or found.confidence < CERTAIN


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Ναι, αύριο", "el"),
        ("תודה רבה", "he"),
        ("감사합니다", "ko"),
        ("ありがとう", "ja"),
        ("衆議院解散・総選挙、自民党単独過半数", "ja"),  # no kana, but forms that Chinese does not write
        ("中國外交部今日表示", "zh"),
        ("สวัสดีครับ", "th"),
        ("Շնորհակալություն", "hy"),
        ("გმადლობთ", "ka"),
        ("Київ, їжа і ґудзик", "uk"),
        ("Ён быў у Мінску ўчора", "be"),
        ("דער מיניסטער האט געזאגט אז ער וועט קומען פון ניו יארק", "yi"),
        ("אַלע מענטשן זײַנען געבוירן פֿרײַ", "yi"),
    ],
)
def test_the_script_or_a_letter_decides(text: str, code: str) -> None:
    assert identify(text).code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("大韓民國 政府는 새로운 政策을 發表했다", "ko"),
        ("憲法裁判所는 오늘 彈劾審判 事件의 宣告期日을 指定하였다.", "ko"),
        ("وزارت بهداشت اعلام كرد تمام مراكز واكسيناسيون فردا تعطيل است", "fa"),
        ("اداره راه اعلام كرد كه جاده قديم تا فردا بسته است", "fa"),
        ("يعلن مركز المدينة أن الجسر مغلق حتى يوم الجمعة", "ar"),
        ("ᴛʜᴇ ᴄɪᴛʏ ᴄᴏᴜɴᴄɪʟ ʜᴀs ᴅᴇᴄɪᴅᴇᴅ ᴛᴏ ᴄʟᴏsᴇ ᴛʜᴇ ᴏʟᴅ ʙʀɪᴅɢᴇ", "en"),
        ("政府宣布新的住房政策將於明年一月起實施", "zh"),
        ("国务院办公厅印发通知", "zh"),
    ],
)
def test_scripts_and_keyboards_do_not_hide_the_language(text: str, code: str) -> None:
    assert identify(text).code == code


@pytest.mark.parametrize(
    "text",
    [
        "東京都内感染者数増加、医療提供体制逼迫",
        "首相官邸発表、緊急事態宣言延長決定",
        "日本銀行政策委員会、金融政策現状維持決定",
        "市立図書館改修工事、来月一日開始予定",
    ],
)
def test_kanji_alone_may_be_japanese(text: str) -> None:
    found = identify(text)
    assert found.code == "ja" or found.confidence < language.LIKELY


@pytest.mark.parametrize(
    "text",
    [
        "Rada miasta dowo znać, że jutro szkoły bydōm zawarte, bo sie popsuło ôgrzywanie i niy ma wody.",
        "Gmina dôwô wiedzec, że witro szkòłë bãdą zamkłé, bò zepsëło sã ògrzéwanié.",
        "Кар администрация ивортэ: ӵуказе школаос пытсамын луозы, малы ке шуоно шунтон сӧриськемын.",
    ],
)
def test_letters_of_a_neighbour_leave_doubt(text: str) -> None:
    found = identify(text)
    assert found.code not in SUPPORTED or found.confidence < language.LIKELY


def test_foreign_names_leave_no_doubt() -> None:
    assert (
        identify("Prezydent spotkał się wczoraj z ministrem Åkessonem i panią Bjørk w Tromsø.").confidence
        > 0.9
    )


def test_names_in_another_script_do_not_outvote_the_sentence() -> None:
    assert identify("총리는 NATO와 European Commission 대표단을 만났다고 밝혔습니다").code == "ko"
    assert identify("ראש הממשלה נפגש עם נציגי Microsoft ו-Google").code == "he"


def test_letters_count_against_the_languages_that_do_not_write_them() -> None:
    plain, marked = "доклад на комитета за развитие", "доклад на комітета за развитие"
    before = {"ru": 0.0, "bg": 0.0} | beliefs(plain)
    after = {"ru": 0.0, "bg": 0.0} | beliefs(marked)
    assert before["bg"] > 0.5
    assert after["bg"] + after["ru"] < before["bg"]


def beliefs(text: str) -> dict[str, float]:
    found = identify(text)
    known = {guess.code: guess.confidence for guess in found.alternatives}
    return known if found.code is None else known | {found.code: found.confidence}


@pytest.mark.parametrize(
    "text", ["", "   ", "123 456", "!!!", "?", "a", "ha ha ha 123", "хахаха", "😀", "ok"]
)
def test_without_letters_enough_there_is_no_language(text: str) -> None:
    found = identify(text)
    assert found.code is None
    assert found.confidence == 0
    assert found.alternatives == ()


@pytest.mark.parametrize(
    "text",
    [
        "asdfjkl qwer",
        "qwertyuiop asdfghjkl zxcvbnm",
        "sdkfjh sdkfjhsdf kjhsdf",
        "id=8f3a2c9d1e key=ab12cd34ef56 sha256:9f86d081884c7d659a2feaa0c55ad015 " * 20,
        "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ",
        "lnf ickj tsatvwkcj jpwkf",
    ],
)
def test_noise_and_unknown_scripts_have_no_language(text: str) -> None:
    found = identify(text)
    assert found.code is None
    assert found.confidence < UNLIKELY


def test_doubt_keeps_the_candidates() -> None:
    found = identify("Hola, que tal?")
    assert found.code is None
    assert "es" in {guess.code for guess in found.alternatives}


def test_disagreement_lowers_confidence_and_lists_both(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Hasiči v noci zasahovali u pož"  # Czech for py3langid, Slovene for langdetect
    both = identify(text)
    monkeypatch.setattr(language, "UNSURE", 0.0)  # never ask langdetect
    alone = identify(text)
    assert alone.code == both.code == "cs"
    assert both.confidence < alone.confidence
    assert "sl" in {guess.code for guess in both.alternatives}


def test_langdetect_does_not_count_where_it_cannot_know(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Prezident bu gün y"  # Azerbaijani, of which langdetect has no profile: it is sure of Turkish
    assert "az" not in language._langdetect().get_lang_list()
    asked = identify(text)
    assert asked.confidence < language.UNSURE
    monkeypatch.setattr(language, "UNSURE", 0.0)
    assert identify(text) == asked
    assert asked.code == "az"


def test_alternatives_are_ordered_few_and_not_the_answer() -> None:
    for _, text in cases(POSTS | NEIGHBOURS):
        found = identify(text[:15])
        shown = [guess.confidence for guess in found.alternatives]
        assert len(shown) <= 3
        assert shown == sorted(shown, reverse=True)
        assert all(value >= SHOWN for value in shown)
        if found.code is not None:
            assert found.code not in {guess.code for guess in found.alternatives}
            assert found.confidence >= max([UNLIKELY, *shown])


def test_capitals_full_width_and_mathematical_letters() -> None:
    assert identify("ВНИМАНИЕ! ДВИЖЕНИЕ ПО МОСТУ ЗАКРЫТО ДО УТРА").code == "ru"
    assert identify("ＴＨＥ ＭＩＮＩＳＴＲＹ ＨＡＳ ＣＬＯＳＥＤ ＴＨＥ ＢＯＲＤＥＲ").code == "en"
    assert identify("𝐓𝐡𝐞 𝐦𝐢𝐧𝐢𝐬𝐭𝐫𝐲 𝐡𝐚𝐬 𝐜𝐥𝐨𝐬𝐞𝐝 𝐭𝐡𝐞 𝐛𝐨𝐫𝐝𝐞𝐫").code == "en"


def test_a_huge_text_is_read_up_to_a_bound() -> None:
    sentence = POSTS["pl"][0] + " "
    assert identify(sentence * 50_000) == identify((sentence * 50)[: language.READ])


@given(st.text(st.characters(), max_size=60))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_text_gives_a_valid_answer_and_the_same_again(text: str) -> None:
    found = identify(text)
    assert 0 <= found.confidence <= 1
    assert found.code is None or found.confidence >= UNLIKELY
    assert identify(text) == found


def test_a_fresh_process_with_many_threads_gives_the_same_answers() -> None:
    texts = [text[:25] for _, text in cases(POSTS | NEIGHBOURS)]
    expected = [repr(identify(text)) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert [repr(found) for found in pool.map(identify, texts)] == expected
    program = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from checker.language import identify\n"
        f"texts = {texts!a}\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    print(ascii([repr(found) for found in pool.map(identify, texts)]), end='')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == ascii(expected)


def test_importing_loads_no_model() -> None:
    program = "import checker.language, sys; print({'py3langid', 'langdetect', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# Asked only where it can change the answer

WORDS = sorted({word for posts in POSTS.values() for post in posts for word in post.split()})


@settings(deadline=None)  # the first example loads what it needs
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join), st.floats(0, 1))
def test_what_is_wanted_changes_no_answer_that_reaches_it(text: str, wanted: float) -> None:
    full, quick = identify(text), identify(text, wanted)
    assert quick == full or (quick.confidence < wanted and full.confidence < wanted)


@pytest.mark.parametrize("text", [" ".join(WORDS[start::7]) for start in range(7)])
def test_langdetect_in_numpy_gives_its_numbers(text: str) -> None:
    factory = language._langdetect()
    ours, theirs = language._quick()(factory), factory.create()
    ours.append(text)
    theirs.append(text)
    found = [[(one.lang, one.prob) for one in two.get_probabilities()] for two in (ours, theirs)]
    assert found[0] == found[1]
    assert found[0]


@pytest.mark.parametrize(
    "text",
    [
        "Kasaba bildirer, ani yarın şkolalar kapalı olacek, neçinki su yok.",  # Gagauz
        "Bakannık haberledi, ani zavodun işi durgundu, neçinki enerjiya yok.",
        "Примэрия анунцэ кэ мыне школиле ну вор лукра дин кауза зэпезий ши а виколулуй.",  # Romanian
        "Министерул сэнэтэций анунцэ кэ тоате спиталеле вор фи дескисе ын зилеле де сэрбэтоаре.",
        "Rada miasta dowo znać, że jutro szkoły bydōm zawarte, bo sie popsuło ôgrzywanie.",  # Silesian
        "Шеэр идареси ярын мектеплернинъ чалышмайджагъыны бильдире, чюнки сув ёкъ.",  # Crimean Tatar
        "De Stadt seggt, dat de ole Brügg an'n Friedag dicht is, wieldat dor wat maakt warrt.",  # Low German
        "D Stadt seit, dass di alt Brugg am Frytig zue isch, wil d Arbeite nid fertig wärde.",  # Swiss German
        "El conceyu anuncia que la ponte vieya va zarrar el vienres porque les obres nun acaben a tiempu.",
        "Lu cumuni fa sapiri ca lu ponti vecchiu venniri veni chiusu pi li travagghi.",  # Sicilian
        "The toun cooncil says the auld brig will be steekit on Friday, for the wark isna duin yet.",
        "O concello anuncia que a ponte vella estará pechada o venres porque as obras non rematan.",
        "Містьска рада оповіщать, же завтра школы будуть заперты, бо не є воды.",  # Rusyn
        "Кар администрация ивортэ, что ӵуказе школаос уз ужалэ, малы ке шуоно ву ӧвӧл.",  # Udmurt
        "सड़क बंद बा आउर पुल के काम अबहीं पूरा नइखे भइल, हमनी के नाव से जाए के होखे।",  # Bhojpuri
    ],
)
def test_a_neighbour_that_no_identifier_knows_is_not_taken_for_a_supported_language(text: str) -> None:
    found = identify(text)
    assert found.code not in SUPPORTED or found.confidence < LIKELY


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The project is funded by Министерство развития and the bridge is repaired this week.", "en"),
        ("Der Minister traf heute Сергей Викторович Лавров in Wien zu Gesprächen über den Handel.", "de"),
        ("Проект финансирует European Bank for Reconstruction and Development, работы идут.", "ru"),
        ("أعلنت البلدیة إغلاق الجسر القدیم یوم الجمعة بسبب أعمال الصیانة في مرکز المدینة.", "ar"),
        ("Проект поддержала جامعة الدول العربية, об этом сообщили сегодня в мэрии города.", "ru"),
        ("Η σύμβαση υπογράφηκε με τη Министерство развития την Παρασκευή στην Αθήνα.", "el"),
        ("تقول إنها لم تكن تدري بما جرى به وبها في البيت", "ar"),
        ("Nestlé、Philips、L'Oréalなどの製品も", "ja"),
        ("有些居民抱怨渡船班次太少。", "zh"),
    ],
)
def test_names_and_the_keyboard_do_not_decide(text: str, code: str) -> None:
    found = identify(text)
    assert found.code == code
    assert found.confidence >= LIKELY
