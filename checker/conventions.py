"""What the supported languages write before a colon or a full stop: credits and abbreviations."""

from __future__ import annotations

CREDITS = """
photo photos photographer picture image images video footage source credit credits graphic graphics
design illustration camera courtesy text words editor editing reporting
foto fotos bild bilder text texte redaktion quelle grafik kamera gestaltung
texte auteur crédit crédits vidéo infographie photographe montage
texto autor redacción fotografía fotografia fotógrafo imagen imágenes vídeo fuente crédito créditos
diseño ilustración cortesía
imagem imagens fonte arte ilustração reprodução divulgação
immagine immagini grafica crediti fotografo
beeld bron ontwerp fotograaf
källa fotograf
kuva kuvat lähde valokuva kuvaaja
zdroj snímek autor
fot zdjęcie zdjęcia źródło wideo grafika autor
fotó kép forrás videó
sursa sursă imagine
fotoğraf görsel kaynak tasarım
фото фотограф текст автор видео источник графика дизайн изображение иллюстрация снимок съёмка съемка монтаж
текст автор світлина світлини відео джерело дизайн графіка ілюстрація
снимка снимки източник
φωτογραφία φωτογραφίες φωτό φωτο βίντεο πηγή εικόνα
صورة الصورة تصوير فيديو المصدر مصدر
عکس عکاس ویدئو ویدیو منبع تصویر
צילום צילומים תמונה וידאו מקור קרדיט
फोटो फ़ोटो तस्वीर वीडियो स्रोत साभार
写真 撮影 動画 映像 画像 出典 提供 写真提供
사진 영상 출처 그래픽 자료 제공
图片 图 图源 摄影 视频 来源 圖片 攝影 影片 來源 供图 图片来源
"""
"""Labels of credits, language by language."""

ABBREVIATIONS = {
    "ar": "د أ م ص ب ت ج هـ ق",
    "bg": "г гр ул бул пл ж.к бл вх ет ап др проф доц акад инж арх чл ал т стр бр лв хил млн млрд св "
    "ген полк кап сек обл общ с р.ч вкл напр вж им о.р",
    "cs": "č čj čl např tj tzv tzn mj atd apod odst písm str sv ul nám tř př ing mgr bc mudr judr "
    "phdr rndr doc prof dr gen plk pplk mjr kpt por r roč tel mil mld tis kč hod min s.r.o a.s",
    "de": "z.b u.a d.h bzw ca dr prof nr str abs art bd evtl ggf inkl max min mio mrd tel usw vgl s "
    "hr fr st dipl ing gen sog u.ä z.t i.d.r v.a",
    "el": "κ κ.κ δρ καθ αρ οδ λεωφ τηλ σελ π.χ δηλ κ.ά κ.λπ κλπ εκ δισ χιλ στρ αγ παρ άρθ αριθ μ.μ "
    "π.μ ν",
    "en": "mr mrs ms dr prof st gen col lt maj capt sgt sen rep gov rev hon jr sr no vs al et.al fig "
    "eq vol pp p ed inc ltd co corp dept approx est i.e e.g cf art sec a.m p.m "
    "incl excl para reg ft mt bldg apt ave blvd govt intl natl adm cpl lieut supt tel ext avg ref sect ch",
    "es": "sr sra srta dr dra d dña prof ing lic gral col cap tte núm nº n art arts pág págs tel av "
    "avda c pza ud uds vd vds ee.uu ej p.ej aprox depto prov sto sta mons",
    "fa": "م ق ه ش د ص ج",
    "fi": "ks esim mm ym yms ns nk n klo v s puh os tri prof dos toht kenr ev kapt maist dipl ins mrd "
    "milj t ent",
    "fr": "m mm mme mlle mgr dr pr me st ste art p pp no nº n av bd tél env cf ex p.ex c.-à-d c.à.d i.e "
    "gal col cdt cap al vol chap éd hab fig",
    "he": "ד פרופ מר גב עמ מס ר",
    "hi": "डॉ डा श्री प्रो सं रु कि.मी कं पं मो ई",
    "hu": "dr prof ifj id özv sz sz.ú u út krt tel kb pl stb ill ún vö ld old kft zrt bek pont ezr "
    "mrd fszt em évf",
    "it": "sig sig.ra sigg dott dott.ssa prof prof.ssa ing avv arch on sen gen col cap mons s art "
    "artt pag pagg n nn tel ecc es p.es cfr ca v.le p.zza c.so",
    "nl": "dhr mevr mw dr drs prof ir ing mr nr nrs art blz tel bijv d.w.z o.a m.b.t i.v.m enz ca evt "
    "incl max min mln mld st jl gen kol",
    "pl": "m np tj tzn tzw m.in itd itp ul al pl os nr art ust pkt str dr prof hab mgr inż gen płk ppłk "
    "mjr kpt por ks bp św r w godz tel tys mln mld zł ok min im woj pow gm sp",
    "pt": "apto sr sra srta dr dra prof profa eng gen cel cap ten exmo exma art arts pág págs n nº tel av "
    "r ex p.ex etc aprox ltda cia d",
    "ro": "dl dna d-na d-l dr prof ing gen col lt mr art alin lit nr pag str bd bl sc ap et jud tel "
    "ex p.ex etc mil mld cca sf șos cap",
    "ru": "им ул пр просп пер пл наб ш д корп стр кв каб оф г гор обл р-н п пос с дер ст ч п.п рис см "
    "напр др проф доц акад ген полк подп кап лейт м гос руб коп тыс млн млрд трлн тел мин сек "
    "ред изд т тт гг вв в н э св инж зам зав нач т.е т.к т.д т.п и.о",
    "sv": "dyl t.ex bl.a d.v.s dvs m.m osv ca kl nr st dr prof s sid tel tfn kap art f.d s.k p.g.a ev "
    "inkl max min milj mdkr kr gen",
    "tr": "bşk dr prof doç yrd av müh öğr gör uzm alb gen org korg yb bnb sn bkz vb vs örn no cad sok mah "
    "blv apt tel s yy m.ö m.s a.ş ltd şti st",
    "uk": "ім вул просп пров пл наб буд кв каб оф м обл р-н с смт ст ч п рис див напр др проф доц "
    "акад ген полк кап грн коп тис млн млрд тел хв сек ред вид т рр ст св інж заст зав нач т.д "
    "т.п т.зв о",
}  # fmt: skip
"""Words that stand before a full stop inside a sentence, in small letters, by language."""

LAST = frozenset([
    "etc", "usw", "osv", "itd", "itp", "atd", "apod", "stb", "enz", "ym", "yms", "jne", "vb", "vs",
    "inc", "ltd", "co", "corp", "jr", "sr", "al", "cia", "ltda", "kr", "zł", "kč", "tys", "mil", "mln",
    "mld", "mrd", "mio", "milj", "min", "г", "гг", "в", "вв", "руб", "коп", "тыс", "млн", "млрд", "грн",
    "тис", "т.д", "т.п", "др", "лв", "хил", "рр", "p.m", "a.m", "ee.uu", "kft", "zrt", "ab", "s.r.o",
    "a.s", "a.ş", "şti", "κ.ά", "κ.λπ", "κλπ", "εκ", "χιλ", "δισ", "no", "art", "sec", "fig", "est",
    "ed", "мин", "сек", "н", "н.э", "э", "hs", "ud", "vd", "p", "s", "n", "r", "w",
    "m", "ave", "blvd", "apt", "apto", "ext",
])  # fmt: skip
"""Abbreviations that may end a sentence: before a capital they do."""
