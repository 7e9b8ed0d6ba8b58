"""Cleaning, offsets, sentences and words, on realistic and on hostile posts."""

from __future__ import annotations

import subprocess
import sys
import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from checker.text import (
    MAX_CHARACTERS,
    CleanText,
    Span,
    clean,
    compact,
    in_hundred,
    percent,
    sentences,
    stretch,
    width,
    words,
)

ANY = st.characters(exclude_categories=())  # lone surrogates and unassigned code points too
PIECES = st.sampled_from(
    [
        *(
            "https://t.me/a_b?c=1",
            "www.gov.example",
            "bit.ly/2x",
            "@name",
            ".@name",
            "RT @name:",
            "a@b.example",
        ),
        *("#tag", "#два_слова", "&amp;", "&amp;lt;", "&#x202e;", "&shy;", "&nbsp;", "&bogus;", "<b>", "</b>"),
        *("<br/>", "<3", "🇺🇦", "👩🏽‍🚒", "1️⃣", "❤️", "©", "e\u0301", "\u1112\u1161\u11ab", "\u212b", "\u0958"),
        *("می\u200cروم", "क्\u200dष", "\u200b", "\ufeff", "\u00ad", "\u202e", "\u2066", "\x00", "\ud83d"),
        *("\ue000", "\r\n", "\u2028", "\u3000", " ", "т. д.", "Конец.", "Так!", "«Да»", "(", ")", "你好。"),
        *("bridgе", "мoст", "ΕUROPE", "𝐓𝐡𝐞", "ᴛʜᴇ", "ｆｕ，", "ﾊﾞｽ", "ﬁn", "ⓐ", "s\u0336o\u0336", "كـــت"),
        *(
            "....",
            "!!!!!",
            "-----",
            "· · · ·",
            "Photo: A B",
            "\nFoto: C D\n",
            "(Фото: Е)",
            "ooooo",
            "\n#a #b\n",
        ),
        *("<script>", "</script>", "<style>x</style>", " #a", "word 🎉 Another word or two", "___"),
        *(
            "[b]",
            "[/b]",
            "[url=x]",
            "**",
            "**Да**",
            " (1/3)",
            "1/3 ",
            "2/",
            "<!-- x -->",
            "<iframe>",
            "(^_^)",
            "(╯°□°)╯",
        ),
        *(
            "\n- A",
            "* Б",
            "¬",
            '"',
            "«",
            "»",
            "“",
            "”",
            "[",
            "]",
            "\u0334\u0316\u0322",
            "\n📷 A B",
            "Text: A B | ",
        ),
        *(
            "→→→",
            "\na@b.example\n",
            "[a](https://b.example)",
            "Photo by A B\n",
            "ғ",
            "।",
            "رَبِّ",
            "שָׁלוֹם",
            "פֿאַר",
        ),
        *("ありがとう", "カタカナ", "สวัสดี", "صباح", 'א"ב', "don't", "3,14"),
    ]
)
POST = st.lists(st.one_of(PIECES, st.text(ANY, max_size=4)), max_size=12).map("".join)
repeatably = settings(deadline=None, derandomize=True)


def sources(post: str) -> list[str]:
    """The source of every word of a post."""
    cleaned = clean(post)
    return [post[slice(*cleaned.span(word.start, word.end))] for word in words(cleaned.text)]


# -- cleaning ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        (
            "🇷🇺 МИД: встреча пройдёт 5 мая. Подробнее — https://t.me/mid_example/123 #МИД #Новости_дня",
            "МИД: встреча пройдёт 5 мая. Подробнее —",
        ),
        (
            "🔴 #فوری | وزیر خارجه می‌گوید: مذاکرات ادامه می‌یابد. @iran_example",
            "فوری | وزیر خارجه می‌گوید: مذاکرات ادامه می‌یابد.",
        ),
        ("【快讯】外交部回应👉详情见https://t.cn/A6example。谢谢！", "【快讯】外交部回应 详情见。谢谢！"),
        (
            "\u202bعاجل‼️ وزارة الدفاع: لا صحة للأنباء المتداولة 🚫 https://example.org/x?y=1\u202c",
            "عاجل‼ وزارة الدفاع: لا صحة للأنباء المتداولة",
        ),
        ('דובר צה"ל 🇮🇱: האזעקות בצפון — הפרטים נבדקים @example', 'דובר צה"ל: האזעקות בצפון — הפרטים נבדקים'),
        (
            "प्रधानमंत्री ने कहा 🙏🏽 कि क्‍या हुआ? #भारत @PMOexample",
            "प्रधानमंत्री ने कहा कि क्‍या हुआ?",
        ),
        ("RT @state_example: Thanks 🎉, @ally! &quot;Done&quot;.", 'Thanks,! "Done".'),
        (".@president will speak at 5.@noon stays", "will speak at 5.@noon stays"),
    ],
)
def test_realistic_posts(post: str, expected: str) -> None:
    assert clean(post).text == expected


@pytest.mark.parametrize(
    "emoji",
    ["👨‍👩‍👧‍👦", "🏳️‍🌈", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👍🏿", "1️⃣", "#️⃣", "❤️", "☎️", "🇫🇷🇩🇪", "✅", "➡️", "⚠", "🫶🏼", "▪️"],
)
def test_emoji_are_set_aside_whole(emoji: str) -> None:
    assert clean(f"до {emoji} после").text == "до после"
    assert clean(emoji * 3).text == ""


HARMLESS = "Die Brücke bleibt heute gesperrt. Bitte nutzen Sie die Fähre."


@pytest.mark.parametrize(
    "post",
    [
        HARMLESS + " #Sperrung #Fähre",
        HARMLESS + " #Sperrung",
        "#Sperrung #Fähre #Stadt " + HARMLESS,
        HARMLESS + "\n\n#Sperrung 🚧 #Fähre | #Stadt https://example.org/x",
        HARMLESS + "\nFoto: Anna Braun, Stadtpresse",
        HARMLESS + "\nFoto/Video: Anna Braun",
        HARMLESS + " (Bild: Anna Braun)",
        "Photo: Anna Braun / City Press\n" + HARMLESS,
        HARMLESS + "\nФото: Анна Браун",
        HARMLESS + "\n写真：青木花子",
        "═════\n" + HARMLESS + "\n▬▬▬ * * * ▬▬▬",
        "~~~ " + HARMLESS + " ·.·´¯`·.·",
        HARMLESS.replace("heute ", "heute<script>var a = 'x'; if (a < 1) b();</script> "),
        HARMLESS + "<STYLE type='text/css'>.notice { color: red }</STYLE>",
        HARMLESS.replace("Brücke", "𝗕𝗿ü𝗰𝗸𝗲"),
        HARMLESS.replace("Brücke", "Вrüсkе"),
        HARMLESS.replace("Brücke", "B\u0336r\u0336ü\u0336c\u0336k\u0336e\u0336"),
        HARMLESS.replace("Sie", "Ⓢⓘⓔ"),
        HARMLESS.replace("Sie die", "Ｓｉｅ ｄｉｅ"),
    ],
)
def test_what_is_not_wording_is_set_aside(post: str) -> None:
    cleaned = clean(post)
    assert cleaned.text == HARMLESS
    first, last = words(cleaned.text)[0], words(cleaned.text)[-1]
    assert (
        post[slice(*cleaned.span(first.start, first.end))],
        post[slice(*cleaned.span(last.start, last.end))],
    ) == (
        "Die",
        "Fähre",
    )


@pytest.mark.parametrize(
    "text",
    [
        "Wait ... who said -- and when -- that?!",
        "Foto: Die alte Brücke bleibt heute gesperrt, weil gebaut wird.",
        "Source: the river rises in the hills and flows to the sea",
        "Schifffahrt, www, III, 10000000 und 0,0000",
        "COVIDом болеют, Δx, IT-отдел, Tシャツ, β-Carotin",
        "为什么……不知道——真的！！！",
        "2.º piso, 1.ª vez, nº 5, № 7, ½, 30 m²",
    ],
)
def test_what_is_wording_stays(text: str) -> None:
    assert clean(text).text == text
    assert clean(text).disguised == 0


def test_hashtags_inside_a_sentence_are_its_words() -> None:
    assert (
        clean("Heute ist #Berlin gesperrt, morgen #Potsdam").text
        == "Heute ist Berlin gesperrt, morgen Potsdam"
    )


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        ("lundi .......... 9h, mardi....9h, fermé......", "lundi 9h, mardi 9h, fermé..."),
        ("Merci!!!!!!!! Bravooooooo ????", "Merci! Bravo ?"),
        ("lundi . . . . . 9h", "lundi 9h"),
        ("الســـــلام عليكم", "السلام عليكم"),
        ("哈哈哈哈哈，好！！！！！", "哈，好！"),
    ],
)
def test_runs_of_one_character(post: str, expected: str) -> None:
    assert clean(post).text == expected


@pytest.mark.parametrize(
    ("post", "expected", "disguised"),
    [
        (
            "Thе сіty соunсіl hаs dесіdеd tо сlоsе а brіdgе.",
            "The city council has decided to close a bridge.",
            8,
        ),
        (
            "Aдминистрация города сообщает, что cтарый мост закрыт",
            "Администрация города сообщает, что старый мост закрыт",
            2,
        ),
        ("Η ΕUΡOΠΗ", "Η ΕUΡOΠΗ", 0),
        ("Ο δήμoς ανακoινώνει ότι η γέφυρα κλείνει", "Ο δήμος ανακοινώνει ότι η γέφυρα κλείνει", 2),
        ("Мы пошли в bar", "Мы пошли в bar", 0),
    ],
)
def test_look_alikes_of_another_script(post: str, expected: str, disguised: int) -> None:
    cleaned = clean(post)
    assert (cleaned.text, cleaned.disguised) == (expected, disguised)


def test_small_capitals_are_letters_and_phonetic_signs_stay() -> None:
    assert clean("ᴛʜᴇ ᴄɪᴛʏ ᴄᴏᴜɴᴄɪʟ ᴏɴ ғʀɪᴅᴀʏ").text == "the city council on friday"
    assert clean("ʀɪʏ").text == "ʀɪʏ"


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        (
            "Schools are closed today 🚫 Please stay at home 🏠 Call 112 now ☎️",
            "Schools are closed today\nPlease stay at home\nCall 112 now",
        ),
        ("Школы сегодня закрыты 🚫🚫 Просим остаться дома", "Школы сегодня закрыты\nПросим остаться дома"),
        (
            "明日は休校です🚫家にいてください🙏ありがとうございます",
            "明日は休校です\n家にいてください\nありがとうございます",
        ),
        ("We ❤️ Paris very much", "We Paris very much"),
        ("Our team 🎉 won again", "Our team won again"),
        ("The bridge is open. 🎉 Come and see", "The bridge is open. Come and see"),
    ],
)
def test_an_emoji_in_the_place_of_a_full_stop_ends_a_line(post: str, expected: str) -> None:
    assert clean(post).text == expected


def test_signs_that_are_text_stay() -> None:
    assert clean("© 2024 Acme™, 20 °C, № 5, 10 €, C# → F#").text == "© 2024 Acme™, 20 °C, № 5, 10 €, C# → F#"


def test_joiners_stay_where_they_are_spelling() -> None:
    assert clean("کتاب\u200cها iPhone\u200cها").text == "کتاب\u200cها iPhone\u200cها"
    assert clean("क्\u200dष ന്\u200d க்\u200cஷ").text == "क्\u200dष ന്\u200d க்\u200cஷ"
    assert clean("pass\u200cword سلام\u200c عليكم\u200d!").text == "password سلام عليكم!"
    assert clean("می\u200b\u200c\u200cخواهم").text == "می\u200cخواهم"


def test_control_and_format_characters_vanish_without_a_gap() -> None:
    post = "\ufeffpa\u00adss\u200bword\x00 \u202eevil\u202c \u2066a\u2069b\ud800c\ue123d\U000e0041"
    assert clean(post).text == "password evil abcd"
    assert clean("\u06dd الحمد").text == "\u06dd الحمد"  # a visible format character


def test_html() -> None:
    post = (
        "<p>Fish &amp;amp; chips, 1 &lt; 2</p><p>So<b>lid</b> &#1084;&#x438;&#x440;<br>I <3 u, a <y and z> b"
    )
    assert clean(post).text == "Fish & chips, 1 < 2\nSolid мир\nI <3 u, a <y and z> b"


@pytest.mark.parametrize(
    "link",
    [
        "https://example.org/a(b)?q=1&r=%20#top",
        "HTTP://EXAMPLE.ORG",
        "www.example.org",
        "t.me/some_channel/12",
        "https://мвд.example/новости",
        "ftp://example.org/x",
    ],
)
def test_links_keep_the_punctuation_of_the_sentence(link: str) -> None:
    assert clean(f"Смотри {link}. Конец ({link})").text == "Смотри. Конец"
    assert clean(f"详见{link}，谢谢").text == "详见，谢谢"


def test_things_like_links_and_mentions_stay() -> None:
    text = "write to press.office@ministry.example, and/or call 24/7; see p.12/13"
    assert clean(text).text == text


def test_mentions_end_where_an_unspaced_script_begins() -> None:
    assert clean("感谢@mfa_china的支持 @user@mastodon.example ok").text == "感谢 的支持 ok"


def test_newlines_stay_and_blanks_collapse() -> None:
    assert clean(" a \t b\u00a0\u3000c \r\n\r\n d\u2028e\v f ").text == "a b c\nd\ne\nf"
    assert clean("Bonjour !").text == "Bonjour !"  # the author's own space


VOWELS = {
    "ا": "\u064b\u064c\u064e\u064f\u0650\u0651\u0652\u0670",
    "א": "\u05b0\u05b4\u05b6\u05b7\u05b8\u05b9\u05bc\u05c1",
}


@given(
    st.sampled_from(
        [
            ("ا", "أعلنت البلدية إغلاق الجسر القديم يوم الجمعة بسبب أعمال الصيانة."),
            ("א", "העירייה מודיעה כי הגשר הישן ייסגר ביום שישי בשל עבודות שיפוץ."),
        ]
    ),
    st.data(),
)
@repeatably
def test_vowels_written_throughout_are_set_aside_and_every_letter_knows_its_place(
    bare: tuple[str, str], data: st.DataObject
) -> None:
    first, text = bare
    marks = st.text(st.sampled_from(VOWELS[first]), min_size=1, max_size=2)
    post = "".join(c + data.draw(marks) if unicodedata.category(c) == "Lo" else c for c in text)
    found = clean(post)
    assert found.text == text
    for place, character in enumerate(text):
        start, end = found.span(place, place + 1)
        assert unicodedata.normalize("NFC", post[start:end])[0] == character


@pytest.mark.parametrize(
    "post",
    [
        "أعلنت البلدية أن الجسر سيغلق غدًا وأن الحركة ستعود تدريجيًا بعد الصيانة.",  # as newspapers write
        "لقد كان مشروعًا كبيرًا جدًا.",
        "די מעשׂה איז געווען אַזוי: אַ מאָל איז געווען אַ מלך.",  # Yiddish spells with points
    ],
)
def test_points_that_belong_to_the_spelling_stay(post: str) -> None:
    assert clean(post).text == unicodedata.normalize("NFC", post)


def test_hindi_letters_with_a_dot_are_one_or_two_characters() -> None:
    apart = "ज़रूरत हो तो फ़ोन करें, सड़क और क़िले का रास्ता ग़लत है, पढ़ें और ख़बर दें।"
    table = {
        "ज़": "\u095b",
        "फ़": "\u095e",
        "ड़": "\u095c",
        "क़": "\u0958",
        "ग़": "\u095a",
        "ढ़": "\u095d",
        "ख़": "\u0959",
    }
    post = apart
    for two, one in table.items():
        post = post.replace(two, one)
    assert len(post) < len(apart)
    found = clean(post)
    assert found.text == clean(apart).text == apart
    assert found.span(0, 2) == (0, 1)  # both of its characters stand for one


@pytest.mark.parametrize(
    ("post", "text"),
    [
        ("Die Brücke ist zu ........... Bitte warten Sie.", "Die Brücke ist zu. Bitte warten Sie."),
        ("Montag .......... 9-12, Dienstag .......... geschlossen", "Montag 9-12, Dienstag geschlossen"),
        ("Montag .......... Geschlossen", "Montag Geschlossen"),
        ("पुल बंद रहेगा ..........। कृपया नाव लें।", "पुल बंद रहेगा। कृपया नाव लें।"),
        (
            "الجسر القديم مغلق اليوم 🚫 يرجى من السكان استخدام العبارة",
            "الجسر القديم مغلق اليوم\nيرجى من السكان استخدام العبارة",
        ),
        ("Mehr: press@city.example", "Mehr:"),
        ("Schreiben Sie an press@city.example.", "Schreiben Sie an press@city.example."),
        ("(1/3) Der erste Teil.", "Der erste Teil."),
        ("Offen ab 5/12 und am 6/12", "Offen ab 5/12 und am 6/12"),
        ("[b]Neu[/b]: mehr [1] dazu", "Neu: mehr [1] dazu"),
        ("**Neu** ist 2**3", "Neu ist 2**3"),
        ("Er sagte (...) nein (^_^)", "Er sagte (...) nein"),
        ("- Erstens\n- Zweitens", "Erstens\nZweitens"),
        ("Text: Ann Lee | Foto: dpa", ""),
        ("Photo by the sea is what we saw", "Photo by the sea is what we saw"),
        ("<article>Da</article><!-- weg --><noscript>weg</noscript>", "Da"),
        ("„Alles gut“", "Alles gut"),
        ("„Alles“ ist „gut“", "„Alles“ ist „gut“"),
        ("Z\u0334\u0316a\u0334\u0316 Việt", "Za Việt"),
        ("می¬گوید", "می\u200cگوید"),
        ("ᴏɴ ғʀɪᴅᴀʏ", "on friday"),
    ],
)  # fmt: skip
def test_what_is_set_aside_and_what_stays(post: str, text: str) -> None:
    found = clean(post)
    assert found.text == text
    assert not found.disguised


@given(POST)
@example("&am<b>p;")
@example("@a-@a.@a")
@example("ht\u200btp://\ufeffa")
@example("#\u20e3#a")
@example("&amp;" * 3 + "amp;lt;b>")
@repeatably
def test_cleaning_a_cleaned_text_changes_nothing(post: str) -> None:
    once = clean(post).text
    assert clean(once).text == once


@given(POST)
@repeatably
def test_normal_form_collapsed_blanks_nothing_invisible(post: str) -> None:
    text = clean(post).text
    assert unicodedata.is_normalized("NFC", text)
    assert text == text.strip()
    assert "  " not in text
    assert "\n\n" not in text
    kept = {"\n", "\u200c", "\u200d"}
    visible_format = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
    odd = [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") and c not in visible_format]
    assert set(odd) <= kept


@given(POST)
@repeatably
def test_decomposed_and_composed_posts_clean_to_the_same_text(post: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, post) for form in ("NFC", "NFD"))
    assert clean(composed).text == clean(decomposed).text


# -- offsets -----------------------------------------------------------------------------------------


@given(POST)
@repeatably
def test_offsets_are_in_the_source_in_order_and_cover(post: str) -> None:
    cleaned = clean(post)
    assert cleaned.source == post
    spans = [cleaned.span(n, n + 1) for n in range(len(cleaned.text))]
    assert all(0 <= start < end <= len(post) for start, end in spans)
    assert spans == sorted(spans)
    if spans:
        assert cleaned.span(0, len(cleaned.text)) == (spans[0][0], spans[-1][1])
        assert all(type(offset) is int for offset in spans[0])


@given(POST)
@repeatably
def test_the_source_of_a_word_cleans_to_the_word(post: str) -> None:
    cleaned = clean(post)
    for word in words(cleaned.text):
        start, end = cleaned.span(word.start, word.end)
        assert word.text in clean(post[start:end]).text.replace("#", "")


@given(st.text(st.sampled_from("ab Zé9 \n,.!😀🇫🇷я漢\u0301_"), max_size=40))
@repeatably
def test_the_source_of_a_plain_ascii_word_is_the_word(post: str) -> None:
    cleaned = clean(post)
    for word in words(cleaned.text):
        if word.text.isascii():
            assert post[slice(*cleaned.span(word.start, word.end))] == word.text


def test_offsets_across_everything_at_once() -> None:
    assert sources("🇫🇷 Cafe\u0301 &eacute;t&eacute; so<b>li</b>de @x #un_mot\u200b! re\u00adpos") == [
        "Cafe\u0301", "&eacute;t&eacute;", "so<b>li</b>de", "un", "mot", "re\u00adpos",
    ]  # fmt: skip


def test_composition_keeps_its_neighbours_apart() -> None:
    cleaned = clean("xe\u0301\u0323y")
    assert cleaned.text == "x\u1eb9\u0301y"
    assert [cleaned.span(n, n + 1) for n in range(4)] == [(0, 1), (1, 4), (1, 4), (4, 5)]


def test_empty_and_impossible_spans() -> None:
    cleaned = clean("😀 да 😀")
    assert cleaned.span(0, 0) == (2, 2)
    assert cleaned.span(2, 2) == (4, 4)
    assert clean("😀").span(0, 0) == (0, 0)
    for start, end in [(-1, 1), (1, 0), (0, 3)]:
        with pytest.raises(ValueError, match="no span"):
            cleaned.span(start, end)


def test_clean_texts_compare_by_their_texts() -> None:
    assert clean("a 😀") == clean("a 😀") != clean("a")
    assert hash(clean("a")) == hash(clean("a"))
    assert "array" not in repr(clean("a"))
    with pytest.raises(AttributeError):
        clean("a").text = "b"  # type: ignore[misc]


# -- sentences ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "ru",
            "МИД сообщает: выделено 5 млн. руб. на ремонт. Готовы?! Да…\nКонец",
            ["МИД сообщает: выделено 5 млн. руб. на ремонт.", "Готовы?!", "Да…", "Конец"],
        ),
        ("fa", "مذاکرات ادامه دارد. آیا درست است؟ بله!", ["مذاکرات ادامه دارد.", "آیا درست است؟", "بله!"]),
        ("ar", "قال د. أحمد إن الأمر انتهى. هل هذا صحيح؟", ["قال د. أحمد إن الأمر انتهى.", "هل هذا صحيح؟"]),
        ("hi", "मंत्रालय ने कहा। डॉ. सिंह आए।", ["मंत्रालय ने कहा।", "डॉ. सिंह आए।"]),
        ("zh", "我们反对。真的吗？是的！", ["我们反对。", "真的吗？", "是的！"]),
        ("he", 'ד"ר כהן אמר שכן. האם זה נכון?', ['ד"ר כהן אמר שכן.', "האם זה נכון?"]),
        ("de", "Am 3. Mai kam z. B. Dr. Ott. Das war gut.", ["Am 3. Mai kam z. B. Dr. Ott.", "Das war gut."]),
        ("fr", "M. Roy et M. Bel sont là. M. Roux parle.", ["M. Roy et M. Bel sont là.", "M. Roux parle."]),
        ("fr", "Mme Petit, art. 12. Dr. Roux viendra.", ["Mme Petit, art. 12.", "Dr. Roux viendra."]),
        ("ru", "Приём по адресу: ул. им. Гагарина, д. 5, корп. 2, каб. 14, ст. 12 закона.", None),
        ("ru", "А. С. Петров и И. Иванов приехали.", None),
        ("uk", "Зустріч на вул. ім. Франка, буд. 5.", None),
        ("en", "Moore et al. [2019] measured the river again.", None),
        ("en", "J. R. Smith spoke.", None),
        ("de", "Der 2. Weltkrieg endete am 8. Mai.", None),
        ("cs", "Sejdeme se 3. května na nám. Míru.", None),
        ("pl", "Biuro przy ul. Długiej, tel. 12 345.", None),
        ("es", "El Sr. López y la Sra. Díaz llegaron.", None),
        ("it", "Il sig. Rossi e l'avv. Bianchi.", None),
        ("pt", "O Sr. Silva mora na av. Central, n. 5.", None),
        ("nl", "Dhr. Jansen en mevr. Smit kwamen.", None),
        ("hu", "A 3. kerületben dr. Kovács beszélt.", None),
        ("tr", "Prof. Dr. Yılmaz 5. Cadde no. 3'te konuştu.", None),
        ("ro", "Dl. Popescu locuiește pe str. Lungă nr. 5.", None),
        ("fi", "Esim. 3. luokka ja prof. Virtanen tulivat.", None),
        ("sv", "Vi ses kl. 5 på st. Eriksgatan.", None),
        ("el", "Ο κ. Παππάς μένει στην οδ. Ερμού.", None),
        ("bg", "Среща на ул. Шипка, бл. 5, ап. 3.", None),
        ("ja", "市長は「準備はできています。ご安心ください。」と述べた。", None),
        ("ja", "「閉鎖します。」と発表した。橋は古い。", ["「閉鎖します。」と発表した。", "橋は古い。"]),
        (None, "1. Close the window. 2. Leave.", ["1. Close the window.", "2. Leave."]),
        (None, "One. Two!", ["One.", "Two!"]),
        ("xx-unknown", "One. Two!", ["One.", "Two!"]),
    ],
)  # fmt: skip
def test_sentences(language: str | None, text: str, expected: list[str] | None) -> None:
    assert [span.text for span in sentences(text, language)] == (expected or [text])


def test_pieces_without_words_join_their_sentence() -> None:
    found = sentences("Да! — ! Нет! «!»\n***\n«!» Так.", "ru")
    assert [span.text for span in found] == ["Да!", "— ! Нет! «!»", "«!» Так."]


@given(
    st.one_of(POST, POST.map(lambda post: clean(post).text)), st.sampled_from([None, "ru", "fa", "zh", "?"])
)
@repeatably
def test_sentences_are_spans_in_order_that_hold_every_word(text: str, language: str | None) -> None:
    spans = sentences(text, language)
    covered: set[int] = set()
    end = 0
    for span in spans:
        assert end <= span.start < span.end
        assert span.text == text[span.start : span.end] == span.text.strip() != ""
        assert span.text.splitlines() == [span.text]
        assert words(span.text)
        end = span.end
        covered.update(range(span.start, span.end))
    for word in words(text):
        assert covered.issuperset(range(word.start, word.end))


@pytest.mark.parametrize(
    "unit", ["«", "“a. ", "(", ".", "A. ", "! ", "т. д. ", "1. ", "。", "\u2028A\u2028. ", ")। ", "“•)!"]
)
def test_a_post_of_the_greatest_length_is_cut_in_time(unit: str) -> None:
    started = time.process_time()
    sentences((unit * MAX_CHARACTERS)[:MAX_CHARACTERS], "ru")
    assert time.process_time() - started < 5


# -- words -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop, п'ять м’яч: 1,234.5 км!", ["Don't", "stop", "п'ять", "м’яч", "1,234.5", "км"]),
        ("«Це» — צה\"ל ‘quoted’ 'x'", ["Це", 'צה"ל', "quoted", "x"]),
        ("می‌خواهم क्‍षेत्र में", ["می‌خواهم", "क्‍षेत्र", "में"]),
        ("外交部が発表、コーヒーとK2", ["外", "交", "部", "が", "発", "表", "コーヒー", "と", "K2"]),
        ("외교부는 snake_case", ["외교부는", "snake", "case"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("… — !?", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    found = words(text)
    assert [word.text for word in found] == expected
    assert all(text[word.start : word.end] == word.text for word in found)


def test_thai_is_cut_into_characters() -> None:
    assert "".join(word.text for word in words("สวัสดีครับ")) == "สวัสดีครับ"
    assert len(words("สวัสดีครับ")) > 4


def test_width() -> None:
    assert [width(text) for text in ("", "abc", "мир", "外交", "ｆｕ")] == [0, 3, 3, 4, 4]


# -- size and cost -----------------------------------------------------------------------------------


def test_ten_thousand_emoji() -> None:
    assert clean("😀" * 10_000).text == ""
    assert clean("👩🏽‍🚒 " * 10_000).text == ""
    assert clean("a😀" * 10_000).text == " ".join("a" * 10_000)


@pytest.mark.parametrize(
    "unit",
    [
        *("Привет, мир! ", "a😀", "<", "<a ", "&amp;", "@a@b.", "#1", "a.", "www.", "(", "e\u0301", "\u0301"),
        *("ب\u200cب", "RT @a:", "\u200b", "https://", "_a", " ", "\u1112\u1161"),
        *("\n", "\n ", "(\n", "\u3000\n", "_•"),
    ],
)
def test_cleaning_is_linear(unit: str) -> None:
    def seconds(characters: int) -> float:
        post = (unit * characters)[:characters] + "é (1/"  # what more is looked for
        started = time.process_time()
        clean(post)
        return time.process_time() - started

    seconds(1_000)
    small = min(seconds(5_000) for _ in range(3))
    assert seconds(50_000) < 40 * small + 0.3  # quadratic would take a hundred times as long


def test_importing_is_light() -> None:
    program = "import checker.text, sys; print({'numpy', 'sentencex'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_types() -> None:
    assert isinstance(clean("a"), CleanText)
    assert sentences("Да.", "ru") == [Span("Да.", 0, 3)]


@pytest.mark.parametrize(
    ("share", "digits", "prose", "column"),
    [
        (0, 0, "0 %", "0%"),
        (0.0099, 0, "under 1 %", "<1%"),
        (0.314, 0, "31 %", "31%"),
        (0.9901, 0, "over 99 %", ">99%"),
        (1, 0, "100 %", "100%"),
        (0.0004, 1, "under 0.1 %", "<0.1%"),
        (0.0042, 1, "0.4 %", "0.4%"),
        (0.9995, 1, "over 99.9 %", ">99.9%"),
    ],
)
def test_shares_in_per_cent(share: float, digits: int, prose: str, column: str) -> None:
    unbroken = prose.replace(" %", "\N{NO-BREAK SPACE}%")
    assert (percent(share, digits), compact(share, digits)) == (unbroken, column)


def test_no_probability_is_certain() -> None:
    said = [in_hundred(probability) for probability in (0, 0.38, 1)]
    assert said == ["under 1\xa0in 100", "38\xa0in 100", "over 99\xa0in 100"]


def test_a_text_in_small_letters_has_sentences() -> None:
    text = "das ministerium teilte dies mit. z.b. bleibt die brücke zu. der hafen ist offen."
    assert [span.text for span in sentences(text, "de")] == [
        "das ministerium teilte dies mit.", "z.b. bleibt die brücke zu.", "der hafen ist offen.",
    ]  # fmt: skip
    assert len(sentences("the u.s. army came, e.g. at night, with mr. smith", "en")) == 1


@pytest.mark.parametrize(
    ("language", "text", "count"),
    [
        ("en", "The department said approx. 500 people, incl. 20 children, had left.", 1),
        ("en", "See Sec. 5, para. 3 of the Act, as amended by Reg. No. 12.", 1),
        ("fr", "J.-P. Durand et Mgr. Leroy ont inauguré l'église St. Martin, cf. p. 12.", 1),
        ("nl", "Dhr. Jansen woont in de Kerkstr. nr. 5, d.w.z. vlak bij St. Jan.", 1),
        ("sv", "Mötet hålls på Storg. 5, dvs. nära S:t Eriks kyrka.", 1),
        ("pl", "Spotkanie odbędzie się przy ul. Jana Pawła II nr 5, m. 12, o godz. 18.", 1),
        ("pt", "O Sr. Silva mora na Av. Brasil, n.º 5, 2.º andar, apto. 12.", 1),
        ("tr", "II. Abdülhamit döneminde yapılan köprü 3. kez onarıldı.", 1),
        ("ko", '김 시장은 "걱정하지 마세요."라고 말했다.', 1),
        ("ru", "«Мост закрыт!» – сказал мэр.", 1),
        ("en", "Road closed ❌ Use the ferry ⛴️ Stay safe 🙏", 3),
        ("en", "I love New York and 🇫🇷 Paris in the spring.", 1),
    ],
)
def test_sentences_of_addresses_quotations_and_emoji(language: str, text: str, count: int) -> None:
    assert len(sentences(clean(text).text, language)) == count


@pytest.mark.parametrize(
    ("text", "words_between"),
    [
        ("Lage ruhig. Pegel fallend. Deich hält.", 2),
        ("В наличии: картошка, свёкла, мёд липовый", 5 / 4 + 0.25),
        ("It's 10.5 km to the well-known bridge", 8),
        ("one\ntwo three", 1.5),
        ("...", 0),
        ("", 0),
    ],
)
def test_words_between_two_marks(text: str, words_between: float) -> None:
    assert stretch(text) == pytest.approx(words_between)


@given(st.text())
def test_there_are_never_more_words_between_marks_than_words(text: str) -> None:
    assert 0 <= stretch(text) <= len(words(text))
