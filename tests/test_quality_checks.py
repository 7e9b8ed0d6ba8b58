"""Numbers, dates and negation: what they are in canonical form, and what does not match."""

from __future__ import annotations

from itertools import pairwise

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from checker.bitext import weekdays
from checker.bitext.checks import check
from checker.bitext.dates import dates
from checker.bitext.negation import LANGUAGES, negators
from checker.bitext.number_words import times, values
from checker.bitext.numbers import canonical, numbers, unmatched
from checker.languages import SUPPORTED

GROUPS = {"en": ",", "ru": " ", "de": ".", "fr": "\u202f", "ar": "٬", "es": ".", "hu": "\u00a0"}
DECIMALS = {"en": ".", "ru": ",", "de": ",", "fr": ",", "ar": "٫", "es": ",", "hu": ","}


def read(text: str, language: str) -> list[str]:
    return [number.readings[0] for number in numbers(text, language)]


@given(st.integers(0, 10**12), st.integers(1, 99), st.sampled_from(sorted(GROUPS)))
def test_a_number_reads_the_same_in_every_language(whole: int, cents: int, language: str) -> None:
    grouped = f"{whole:,}".replace(",", GROUPS[language])
    fraction = f"{cents:02}"
    assert read(f"– {grouped}{DECIMALS[language]}{fraction} –", language) == [
        f"{whole}.{fraction}".rstrip("0").rstrip(".")
    ]
    assert str(whole) in numbers(f"({grouped})", language)[0].readings


@given(st.integers(0, 10**9), st.sampled_from(["٠", "۰", "०", "０", "๐"]))
def test_digits_of_every_script_are_the_same(value: int, zero: str) -> None:
    text = "".join(chr(ord(zero) + int(digit)) for digit in str(value))
    assert read(text, "xx") == [str(value)]


@given(st.text(max_size=200), st.sampled_from(SUPPORTED))
def test_any_text_can_be_read(text: str, language: str) -> None:
    for found in (numbers(text, language), dates(text, language)):
        assert all(0 <= one.start < one.end <= len(text) for one in found)
        assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(0 <= start < end <= len(text) for start, end in negators(text, language))
    values(text, language)
    check(text, text, language, language)


@given(st.text(alphabet="0123456789., абвmn-", max_size=80), st.sampled_from(SUPPORTED))
def test_a_text_matches_itself(text: str, language: str) -> None:
    found = check(text, text, language, language)
    assert not found.numbers
    assert not found.dates
    assert not found.negation


@given(st.integers(0, 10**9), st.integers(0, 12))
def test_powers_of_ten(value: int, exponent: int) -> None:
    assert times(str(value), exponent) == str(value * 10**exponent)


def test_canonical_form() -> None:
    assert [canonical("007", "50"), canonical("0"), canonical("12", "0")] == ["7.5", "0", "12"]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "1,234.5 tonnes", ["1234.5"]),
        ("en", "$3.2 billion and 5M", ["3200000000", "5000000"]),
        ("en", "at 9:30 p.m. or 7 am or 21:00", ["21:30", "7", "21"]),
        ("en", "version 1.2.3", ["1", "2", "3"]),
        ("ru", "1 234,5 тыс. рублей, 5 миллионами, 28-летний", ["1234500", "5000000", "28"]),
        ("de", "1.234 Menschen, 3 Mrd. Euro", ["1234", "3000000000"]),
        ("fr", "à 9 h 30 ou 11h20, en 3 h", ["9:30", "11:20", "3"]),
        ("fr", "104\u2009500 barils", ["104500"]),
        ("es", "5 mil millones; 3 millas", ["5000000000", "3"]),
        ("zh", "12万人，3.5亿", ["120000", "350000000"]),
        ("hi", "5 लाख", ["500000"]),
        ("fa", "۱۲۳٬۴۵۶٫۷", ["123456.7"]),
        ("en", "in 2020 100 people", ["2020", "100"]),
    ],
)
def test_numbers_as_they_are_written(language: str, text: str, expected: list[str]) -> None:
    assert read(text, language) == expected


@pytest.mark.parametrize(
    ("source", "target", "same"),
    [
        ("Погибли два человека.", "2 people died.", True),
        ("В XX веке", "In the 20th century", True),
        ("две тысячи километров", "2,000 kilometres", True),
        ("от 25 до 40 тысяч", "from 25,000 to 40,000", True),
        ("песня 70-х", "a song of the 1970s", True),
        ("ущерб в 50 млн", "damage of £50m", True),
        ("в 14:30", "at 2.30 pm", True),
        ("Погибли два человека.", "3 people died.", False),
        ("ущерб в 50 млн", "damage of 50 billion", False),
        ("около 1 250 солдат", "about 1,520 soldiers", False),
        ("рост на 3,5 %", "growth of 5.3 percent", False),
    ],
)
def test_numbers_of_two_languages(source: str, target: str, same: bool) -> None:
    assert (len(check(source, target, "ru", "en").numbers) == 0) is same


def test_small_numbers_count_only_where_their_words_are_known() -> None:
    four = numbers("4 people", "en")
    assert unmatched(four, [], "чатыры чалавекі", "be") == []
    assert unmatched(four, [], "человек", "ru") == four


DAYS = {
    "ar": "5 سبتمبر 2023", "bg": "5 септември 2023", "cs": "5. září 2023", "de": "5. September 2023",
    "el": "5 Σεπτεμβρίου 2023", "en": "September 5, 2023", "es": "5 de septiembre de 2023",
    "fa": "۵ سپتامبر ۲۰۲۳", "fi": "5. syyskuuta 2023", "fr": "5 septembre 2023", "he": "5 בספטמבר 2023",
    "hi": "5 सितंबर 2023", "hu": "2023. szeptember 5-én", "it": "5 settembre 2023", "ja": "2023年9月5日",
    "ko": "2023년 9월 5일", "nl": "5 september 2023", "pl": "5 września 2023", "pt": "5 de setembro de 2023",
    "ro": "5 septembrie 2023", "ru": "5 сентября 2023 года", "sv": "5 september 2023",
    "tr": "5 Eylül 2023", "uk": "5 вересня 2023", "zh": "2023年9月5日",
}  # fmt: skip


@pytest.mark.parametrize("language", SUPPORTED)
def test_a_day_is_the_same_in_every_language(language: str) -> None:
    (found,) = dates(f"({DAYS[language]})", language)
    assert (5, 9, 2023) in found.readings


@pytest.mark.parametrize(
    ("source", "target", "same"),
    [
        ("5 мая 2023 года", "on 5/5/2023", True),
        ("3 апреля 2020", "04/03/2020", True),
        ("с 5 до 8 декабря", "December 5 to 8", True),
        ("вчера, 5 мая", "yesterday", True),
        ("5 мая 2023 года", "on 6 May 2023", False),
        ("5 мая 2023 года", "on 5 June 2023", False),
        ("5 мая 2023 года", "on 5 May 2022", False),
    ],
)
def test_dates_of_two_languages(source: str, target: str, same: bool) -> None:
    assert (len(check(source, target, "ru", "en").dates) == 0) is same


def test_may_is_a_month_only_with_a_capital() -> None:
    assert not dates("Of those, 5 may leave.", "en")
    assert dates("On 5 May", "en")


def test_a_contradicted_date_is_not_a_wrong_number_as_well() -> None:
    found = check("Это было 5 мая 2023 года.", "It was on 17 May 2023.", "ru", "en")
    assert (found.dates.source, found.dates.target) == (((9, 19),), ((10, 21),))
    assert not found.numbers


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("Мы не согласны.", "We agree.", ((3, 5),)),
        ("Мы согласны.", "We don't agree.", ()),
        ("Мы не согласны.", "We do not agree.", None),
        ("Он недоступен.", "He is not available.", None),
        ("Он не только пел.", "He also sang.", None),
        ("Диоксид азота", "NO2", None),
    ],
)
def test_negation(source: str, target: str, expected: tuple[tuple[int, int], ...] | None) -> None:
    found = check(source, target, "ru", "en").negation
    assert (found.source if found else None) == expected


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "kein Wort"),
        ("en", "he can’t"),
        ("es", "nunca"),
        ("fr", "il n’est"),
        ("ru", "нет"),
        ("uk", "ніхто"),
    ],
)
def test_negators(language: str, text: str) -> None:
    assert negators(text, language)
    assert language in LANGUAGES


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "ja",
            "1億2000万円、3万5千人、12万3456、1兆2345億6789万",
            ["120000000", "35000", "123456", "1234567890000"],
        ),
        ("ko", "1억 2000만 원, 5천만", ["120000000", "50000000"]),
        ("zh", "1亿2000万，1亿2千万，5千米", ["120000000", "120000000", "5"]),
        ("es", "9 mil 200; 5 millones 143 mil 312; 45 miles de millones", ["9200", "5143312", "45000000000"]),
        ("en", "12,50,000 and Rs 3,45,00,000 or 3.45 crore", ["1250000", "34500000", "34500000"]),
        ("en", "1 million 200 thousand; 5 million 300 people", ["1200000", "5000000", "300"]),
        ("en", "$100 mln, 1.5 bln", ["100000000", "1500000000"]),
        ("fr", "500 M$ à 23 heures 30", ["500000000", "23:30"]),
        ("de", "100 Tsd. um 5 Uhr 13", ["100000", "5:13"]),
    ],
)
def test_numbers_in_groups_and_pieces(language: str, text: str, expected: list[str]) -> None:
    assert read(text, language) == expected


@given(st.integers(0, 9999), st.integers(1, 9999), st.sampled_from(["億万", "亿万", "억만"]))
def test_pieces_add_up(small: int, large: int, scales: str) -> None:
    language = {"億": "ja", "亿": "zh", "억": "ko"}[scales[0]]
    text = f"{large}{scales[0]}" + (f"{small}{scales[1]}" if small else "")
    assert read(text, language) == [str(large * 10**8 + small * 10**4)]


@given(st.integers(10**5, 10**9))
def test_indian_groups(value: int) -> None:
    head, tail = divmod(value, 1000)
    pairs = []
    while head:
        head, pair = divmod(head, 100)
        pairs.append(f"{pair:02}" if head else str(pair))
    assert str(value) in numbers(f"{','.join(reversed(pairs))},{tail:03}", "en")[0].readings


@given(
    st.from_regex(r"[2-9][0-9]{9}", fullmatch=True),
    st.sampled_from(["+7 {} {} {} {}", "8 ({}) {}-{}-{}", "+7({}){}{}{}", "8-{}-{}-{}-{}", "{} {} {} {}"]),
    st.sampled_from(["+7 {} {} {} {}", "8 ({}) {}-{}-{}", "({}) {}-{}-{}"]),
    st.integers(0, 9),
)
def test_a_telephone_number_is_the_same_in_every_layout(digits: str, one: str, other: str, at: int) -> None:
    def laid_out(layout: str, line: str) -> str:
        return f"Hotline: {layout.format(line[:3], line[3:6], line[6:8], line[8:])}."

    assert not check(laid_out(one, digits), laid_out(other, digits), "ru", "en").numbers
    wrong = digits[:at] + str((int(digits[at]) + 1) % 10) + digits[at + 1 :]
    found = check(laid_out(one, digits), laid_out(other, wrong), "ru", "en").numbers
    assert found or at == 0  # a first digit may be that of a prefix


@pytest.mark.parametrize(
    ("source", "target", "languages", "right"),
    [
        ("bis zum 03.06. im Rathaus", "at the town hall until 3 June", "de-en", True),
        ("до 12.05 включительно", "until 12 May", "ru-en", True),
        ("until 3/6", "до 3 июня", "en-ru", True),
        ("do 3. 6. 2024", "until 3 June 2024", "cs-en", True),
        ("do 3. 6. 2024", "until 3 July 2024", "cs-en", False),
        ("bis zum 03.06. im Rathaus", "at the town hall until 6 June", "de-en", False),
        ("bis zum 03.06. im Rathaus", "at the town hall until 3 July", "de-en", False),
        ("Es kostet 12.05.", "Il coûte 12,05.", "en-fr", True),
        ("Der Tarif steigt um 3,5 %.", "The tariff rises by 5.3 %.", "de-en", False),
        ("Горячая линия: 8 (495) 123-45-67", "Hotline: +7 495 123 45 67", "ru-en", True),
        ("Горячая линия: 8 (495) 123-45-67", "Hotline: +7 495 123 54 67", "ru-en", False),
        ("Rufen Sie +49 (0)30 123456 an.", "Call 030/123456.", "de-en", True),
        ("Rufen Sie +49 (0)30 123456 an.", "Call 040 123456.", "de-en", False),
        ("The project costs Rs 3,45,00,000.", "Das Projekt kostet 34.500.000 Rupien.", "en-de", True),
        ("The project costs Rs 3,45,00,000.", "Das Projekt kostet 3.450.000 Rupien.", "en-de", False),
        ("予算は1億2000万円だ。", "The budget is 120 million yen.", "ja-en", True),
        ("予算は1億2000万円だ。", "The budget is 12 million yen.", "ja-en", False),
        ("2 p.m. to 4 p.m.", "с 2 дня до 4 дня", "en-ru", True),
        ("die 1990er Jahre", "the nineties", "de-en", True),
        ("CO2 in the air", "Kohlendioxid in der Luft", "en-de", True),
        ("На ремонт моста выделено 3 млрд рублей.", "3 million rubles were allocated.", "ru-en", False),
    ],
)
def test_numbers_and_days_however_they_are_written(
    source: str, target: str, languages: str, right: bool
) -> None:
    found = check(source, target, *languages.split("-"))
    assert (not found.numbers and not found.dates) is right


@pytest.mark.parametrize(
    ("text", "language", "negates"),
    [
        ("Resolution No. 1325 was adopted.", "en", False),
        ("orders no 5, No. A-12, No. IV, No.: 8 and Nos. 7 to 9", "en", False),
        ("La resolución No. 5 fue aprobada.", "es", False),
        ("There is no water.", "en", True),
        ("He said no. Then he left.", "en", True),
        ("No hay agua.", "es", True),
    ],
)
def test_the_number_of_a_document_is_no_negation(text: str, language: str, negates: bool) -> None:
    assert bool(negators(text, language)) is negates


@pytest.mark.parametrize(
    ("source", "target", "languages", "expected"),
    [
        ("Совет соберётся в среду.", "The council meets on Friday.", "ru-en", [["среду"], ["Friday"]]),
        ("Совет соберётся в среду.", "The council meets on Wednesday.", "ru-en", None),
        ("Окружающая среда важна.", "Friday is important.", "ru-en", None),
        ("Am Mittwochabend", "le jeudi soir", "de-fr", [["Mittwochabend"], ["jeudi"]]),
        ("On Wednesday", "вчера", "en-ru", None),
        ("水曜日に", "on Wednesday", "ja-en", None),
        ("周三", "on Thursday", "zh-en", [["周三"], ["Thursday"]]),
    ],
)
def test_days_of_the_week(source: str, target: str, languages: str, expected: list[list[str]] | None) -> None:
    found = check(source, target, *languages.split("-")).weekdays
    sides = [[source[a:b] for a, b in found.source], [target[a:b] for a, b in found.target]]
    assert sides == (expected or [[], []])


@pytest.mark.parametrize(
    ("source", "target", "swapped"),
    [
        ("5 погибших и 10 раненых", "5 dead and 10 injured", False),
        ("5 погибших и 10 раненых", "10 dead and 5 injured", True),
        ("пять погибших и двадцать раненых", "20 dead and five injured", True),
        ("5 % из 10 домов", "of 10 houses 5 %", False),
        ("в 2019 году 5 домов", "5 houses in 2019", False),
    ],
)
def test_counts_that_changed_places(source: str, target: str, swapped: bool) -> None:
    found = check(source, target, "ru", "en")
    assert bool(found.swapped) is swapped
    assert not found.numbers


@pytest.mark.parametrize("language", sorted(weekdays.LANGUAGES))
def test_every_day_of_cldr_is_known(language: str) -> None:
    names = Locale.parse(language).days["format"]["wide"]
    written = {"ru": "в {}", "uk": "в {}"}.get(language, "{}")
    for number, name in names.items():
        if (language, number) in (("ru", 2), ("uk", 2)):
            continue  # only in the accusative: "среда" is surroundings as well
        found = weekdays.weekdays(written.format(name), language)
        assert [day.day for day in found] == [number + 1], name


@pytest.mark.parametrize(
    ("source", "language", "target"),
    [
        ("会議は6月に開かれ、7月に終わる。", "ja", "The meeting opens in June and ends in July."),
        ("事件は木曜日の19時30分頃に発生した。", "ja", "It happened on Thursday at about 19:30."),
        ("飲むなら土曜日の午後5時半が一番だ。", "ja", "The best time for a pint is 5.30pm on a Saturday."),
        ("この30年間に町は変わった。", "ja", "The town has changed over the last three decades."),
        ("枪击发生在02：30左右。", "zh", "The shooting took place at about 02:30."),
        (
            "Il ventinovenne e un quarantenne sono feriti.",
            "it",
            "The 29-year-old and a 40-year-old are hurt.",
        ),
        ("Au XVIIIe siècle, la ville était petite.", "fr", "In the 18th century the town was small."),
        ("Skvrny byly asi 10 mil od pobřeží.", "cs", "The patches were about 10 miles off the coast."),
        ("Сезон 1995–1996 был удачным.", "ru", "The 1995-96 season was a success."),
        ("Пункт помощи работает круглосуточно.", "ru", "The help point is open 24/7."),
    ],
)
def test_numbers_that_languages_say_in_their_own_way(source: str, language: str, target: str) -> None:
    assert not check(source, target, language, "en").numbers


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("会議は6月に開かれる。", "The meeting opens in July."),
        ("事件は19時30分に発生した。", "It happened at 19:50."),
    ],
)
def test_a_wrong_month_and_a_wrong_time_are_found(source: str, target: str) -> None:
    assert check(source, target, "ja", "en").numbers
