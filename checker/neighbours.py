"""Words of languages that no identifier here knows, and that the supported language beside them has not.

Gagauz reads like Turkish, Romanian in Cyrillic like Russian, Asturian like Spanish. Common words and endings
tell them apart; ``language.identify`` counts them as it counts letters that a language does not write.
"""

from __future__ import annotations

from functools import cache, lru_cache

import regex

MARKERS: dict[str, dict[str, str]] = {
    "ar": {
        "Azerbaijani": r"بیر بير اوچون ايله ایله اولوب اولار ايدي ایدی دییر",
        "Malay": r"يڠ دڠن اونتوق اورڠ",
    },
    "bg": {
        "Macedonian": r"дека што денеска од овој оваа тие кој која нивн\p{L}+ помеѓу",
        "Serbian": r"је су који која које што јер већ од није биће",
    },
    "cs": {
        "Slovak": r"sa som sme ste aj ako ktor\p{L}+ sú pre bol bola bolo boli alebo čo keď keďže tiež "
        r"ešte môže\p{L}* nie pri pred cez medzi viac podľa bývan\p{L}+",
        "Sorbian": r"so wot wót hač kotr\p{L}+ kótar\p{L}+ přez pśi pśez wšitk\p{L}+ wšykn\p{L}* hdyž "
        r"gaž budźe\p{L}* buźo njeje njejo dyrbi\p{L}* tutón tuta jenož su swoje ",
    },
    "de": {
        "Low German": r"un hett hebbt sünd vun dat för dor wieldat warrt maakt seggt minsch\p{L}* gliek "
        r"geweten ole allens lüüd hüüt (?:\p{L}+)?wark brügg ik",
        "Swiss German": r"isch nid nöd het hät händ hend gsi öppis öpper vo cha chan chönd chöme chunnt "
        r"uf ufem rächt\p{L}* wärde wält wäge jetz hüt gliich\p{L}* alli sii zit dr em wil üs üsi",
        "Bavarian": r"san ned koa koan hod hom ham fia mid wia oiso amoi oans zwoa olle vo dea mia "
        r"geborn vanunft gwissn menschn ois wean",
        "Pennsylvania German": r"vun fer hot uff iwwer aa net sin deitsch",
        "Plautdietsch": r"daut fonn jeworde en jeef haft opp",
    },
    "el": {
        "Pontic": r"σην σον ασην ασον έταν ατον ατος ατα ντο σα ουκ",
        "Cypriot": r"τζιαι τζαι τζι εννα έσιει πκιον πκιο έσσω δαμαί τζιείν\p{L}+",
    },
    "en": {
        "Scots": r"aw wis wi fae tae nae isna dinna auld thair thaim whit mair fowk toun oot aboot doun "
        r"noo baith ither anither haes hae wad cuid shuid frae gie leid richts sowels warld ilka efter "
        r"brig wark duin wirds",
        "Jamaican": r"di fi dem unu deh inna pon seh nuh cyaan gwaan waan mek wid wah dat",
        "Tok Pisin": r"bilong blong dispela olgeta mipela yumi ol gat stap wanpela oli hemi",
    },
    "es": {
        "Asturian": r"nun ye yera pola pol tolos toles tola colos dende agora anguaño foi fizo fixo tán "
        r"puen pue nuna ensin equí hai otru esti delles dellos ún yá conceyu vieya tiempu "
        r"(?:xente|xunt\p{L}+|xeneral|xesti\p{L}+|xera) \p{L}{3,}áu",
        "Aragonese": r"ye yera chent muito feito ista iste isto totz naixen dreitos treball\p{L}* ixo "
        r"fer",
        "Ladino": r"ke kon komo kuando kada porke kual aki sovre muncho munchos muncha agora "
        r"\p{L}*ko(?:n|m)[a-z]{3,} djenero\p{L}* dinyidad nasen",
        "Papiamento": r"ta ku nan tin hopi tur esaki esei mester riba kiko awor di den na",
        "Interlingua": r"non pote iste isto illo illes anque esser vostre vos pro",
        "Ido": r"kun qua vua omna havas povas devas kande dil ula vu ne od",
        "Galician": r"unha unhas dunha nunha xa hoxe onte mañá máis tamén moito moita non nin aínda "
        r"estivo fixo dixo teñen súa súas cando sen dun nun luns venres xoves concello xunta veciñ\p{L}+ "
        r"\p{L}+cións",
    },
    "fa": {
        "Azerbaijani": r"بیر اوچون ایله اولوب اولار ایدی قاباق ائد\p{L}+ ائت\p{L}+ دئی\p{L}* وار",
        "Mazanderani": r"هسنه اتا بیه جه شه ونه هستنه تموم آدمون",
        "Gilaki": r"ایسه ایته جه کونه بوبو بوگو ویشتر",
        "Luri": r"ایان هیسن وابی آدمل",
    },
    "fi": {
        "Karelian": r"da oigevu\p{L}* kaikin taza \p{L}+zinnu heijän meijän teijän nygöi ga kui dai hyö "
        r"\p{L}*[dg]z\p{L}* \p{L}*dž\p{L}* \p{L}*čč\p{L}* \p{L}{3,}tahes",
        "Veps": r"om ičeze mugoi vepsän kaik sid ningoi",
    },
    "fr": {
        "Picard": r"ch ches chés euch inne edz pis",
        "Interlingua": r"pote iste isto illo illes anque esser vostre con es del al \p{L}{3,}tion(?:es)",
        "Creole": r"enn bann pou dan ek zot finn kot mem avek ki yo nou",
    },
    "hi": {
        "Bhojpuri": r"बा बाड़े बाटे बाड़ी आउर भइल गइल कइल होखे होला जाला हवे हमनी तोहार ओकर सबहि आजादे "
        r"आओर ओखिनियो",
        "Maithili": r"अछि छथि छल छै अहाँ सँ केँ",
        "Awadhi": r"अहै अहइ कै हमार तोहार",
        "Magahi": r"हइ हलइ हथिन",
        "Rajasthani": r"सूं म्हारो म्हारी थारो छै",
        "Haryanvi": r"सै कोन्या म्हारे",
        "Chhattisgarhi": r"हावय हवय",
    },
    "it": {
        "Sicilian": r"cu nun nta ntra pir comu quannu essiri chiù chistu chista ca pi lu havi hannu avi "
        r"fari sapiri \p{L}+gghi[aeou] \p{L}+ddu \p{L}{4,}[bcdfglmnprstvz]u",
        "Neapolitan": r"nu cu pe nun pecché addò quanno quann chesta chisto chillo chella uommene nce "
        r"ncoppa ll libber[aei] deritt[aei]",
        "Venetian": r"xe xé ga gà par parché ła łe tuti tute nase conpagn\p{L} deriti vecio cuando dó ze",
        "Lombard": r"tucc òmm dònn minga gh hinn istess cont quand anca pussee liber l[uü] el",
        "Sardinian": r"sos sas sunt totu cun dae fiat cando comente issu issos deretos",
        "Friulian": r"lis cun intal ancje dutis ducj sô \p{L}*cj[aeiou]\p{L}*",
        "Corsican": r"cù hè sò ùn micca u \p{L}*ghj\p{L}+ quellu anu",
        "Interlingua": r"pro pote debe iste isto illo illes anque vostre vos",
        "Ido": r"esas kun qua vua omna havas povas devas kande dil ula \p{L}{3,}esas",
    },
    "nl": {
        "Limburgish": r"veur oet neet haet höbbe ouch auch waor luuj vrie geliek gebore weerdigheid mit "
        r"sjtad dees",
        "Low Saxon": r"veur mit uut hef hebbt oaver disse un vun för dor wieldat seggt hett warrt brügg "
        r"ole sünd",
        "West Flemish": r"ip mè voe tusschn oek zyn noe oek",
        "Zeelandic": r"mae noe uut oek vò",
    },
    "pl": {
        "Silesian": r"sie niy bydzie bydōm coby ino tyż dyć kery kere przi sōm godać rodzom boł "
        r"wszyjsk\p{L}+ swojich \p{L}+ōm",
        "Kashubian": r"dlô wszëtczé czej téż swòj\p{L}*",
        "Sorbian": r"so wot wót hač kotr\p{L}+ kótar\p{L}+ při přez pśi pśez wšitk\p{L}+ wšykn\p{L}* "
        r"hdyž gaž su jo budźe\p{L}* buźo njeje njejo njo\p{L}* dyrbi\p{L}* tut[ae] jenož som maće "
        r"móžo\p{L}* ako togo jogo toś \p{L}*nje\p{L}* \p{L}+śo",
    },
    "pt": {
        "Galician": r"unha unhas dunha nunha xa hoxe onte mañá máis tamén moito moita non nin dende "
        r"aínda estivo fixo dixo teñen ten súa súas cando con sen dun nun ningún luns venres xoves "
        r"pechad\p{L}+ concello veciñ\p{L}+ xunta vell[ao]s? mércores polo \p{L}+ción \p{L}+cións",
        "Mirandese": r"ls cun ye stan stá bai anton puode puonte bielh\p{L}+ star nun tamien sue",
    },
    "ro": {"Aromanian": r"shi easti dit unâ tuti tsi armân\p{L}* ti di pi \p{L}+lji"},
    "ru": {
        "Romanian": r"ши кэ сэ дин вор ын пентру есте сынт каре ку прин фи доуэ ачест\p{L}* тоате тоць "
        r"сау дупэ пынэ фэрэ ун ау ал ва луй лор \p{L}*[еи]лор \p{L}+эций \p{L}*эзь ын\p{L}+ "
        r"\p{L}+[^аеиоу]э",
        "languages of the Caucasus": r""
        r"\p{L}*(?:гь|гъ|къ|кь|хь|хъ(?![еёюя])|нъ(?![еёюя])|уь|оь|аь|юь|[гкптцч]ӏ)\p{L}* ва вири",
        "Chechen": r"ду хилла цхьа долу хьал дерриге адамаш шайн",
        "Erzya and Moksha": r"весе эли ломант\p{L}* марто чач\p{L}+ сембе шач\p{L}+ минек сынст кодамо "
        r"ды",
        "Udmurt": r"вань луэ тае солэн понна дыръя озьы адямиос дуннее кузя уз \p{L}+ъёс\p{L}* \p{L}+эн",
        "Mari": r"чыла дене гыч улыт ыле огыл тудо шот мланде",
        "Romani": r"тэ дро пэ сы мэ пиро лэн",
        "Gagauz": r"хем ани бир ичин пек дейни",
    },
    "sv": {"Danish": r"og ikke jeg af mellem meget også til at hvad hvor nogle"},
    "tr": {
        "Gagauz": r"ani neçinki deyni olacek şindi taa bän sän büük şkola\p{L}* angı lääzım uurunda sora "
        r"bildirer lafet\p{L}* \p{L}+nn[aeä]r\p{L}* \p{L}{2,}nn[ıiuü]k\p{L}* \p{L}+acek\p{L}* "
        r"\p{L}{3,}ê?rlär",
        "Crimean Tatar": r"ve[sş]aire suv olğan eken içün bar edi soñ kün yoq",
        "Zazaki": r"ke ra ro pê xo yo bi kerd biyo",
    },
    "uk": {"Rusyn": r"ся шыткы вшыткы котры тот тоты зо быв была суть єм сьме нич иншы"},
}
"""By supported language and neighbour: words in small letters, as regular expressions between blanks."""


_WORD = regex.compile(r"[\p{L}\p{M}]++")


@lru_cache(maxsize=4)
def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, which is asked about for one language after another."""
    return tuple(_WORD.findall(text))


@lru_cache(maxsize=16)
def strange(text: str, language: str) -> tuple[str, ...]:
    """The words of a text that belong to a neighbour of its language; names and first words are left out.

    Args:
        text: in Unicode NFC; one in capitals is read in small letters.
        language: ISO 639-1; none are known of a language that is not in ``MARKERS``.
    """
    words, shapes = _known(language)
    if not words:
        return ()
    if text.isupper():
        text = text.lower()
    found = tuple(word for word in words_of(text) if word in words)
    return found + tuple(shapes.findall(text)) if shapes else found


@cache
def _known(language: str) -> tuple[frozenset[str], regex.Pattern[str] | None]:
    """Whole words, and a pattern of the others."""
    listed = " ".join(MARKERS.get(language, {}).values()).split()
    words = frozenset(word for word in listed if _WORD.fullmatch(word))
    shapes = "|".join(dict.fromkeys(word for word in listed if word not in words))
    if not shapes:
        return words, None
    return words, regex.compile(rf"(?<![\p{{L}}\p{{M}}])(?!\p{{Lu}})(?:{shapes})(?![\p{{L}}\p{{M}}])")
