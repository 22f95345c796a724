"""Words of measures and functions by which an authority is found, in the six languages, beside its titles.

Written as people search, from the terms of the treaties; `folded_functions` has them as search compares them.
"""

from functools import cache

from django.utils.translation import override

from network.directory.folding import fold_all
from network.directory.names import LANGUAGES
from network.functions import FUNCTIONS, INSTRUMENTS

_WORDS: dict[str, tuple[str, ...]] = {
    "MLA": (
        "bank records, evidence, statement, witness, service of documents, search, seizure,",
        "videoconference, hearing",
        "electronic evidence, letter rogatory, mutual assistance, judicial assistance, legal assistance",
        "entraide judiciaire, commission rogatoire, preuve, relevés bancaires, témoin,",
        "perquisition, saisie, audition",
        "visioconférence, signification, remise d’actes, documents bancaires",
        "asistencia judicial recíproca, comisión rogatoria, carta rogatoria, prueba,",
        "registros bancarios, testigo",
        "videoconferencia, notificación, allanamiento, incautación, declaración",
        "взаимная правовая помощь, судебное поручение, доказательства, банковские документы,",
        "свидетель, обыск, выемка",
        "видеоконференция, вручение документов, допрос",
        "المساعدة القانونية المتبادلة، الإنابة القضائية، الأدلة، السجلات المصرفية، الشهود، التفتيش، الضبط",
        "التداول بالفيديو، تبليغ المستندات القضائية",
        "司法协助 证据 银行记录 证人 搜查 扣押 视频会议 送达文书 取证 协查",
    ),
    "EXT": (
        "extradition, surrender, provisional arrest, fugitive",
        "extradition, arrestation provisoire, remise de la personne",
        "extradición, detención preventiva, entrega",
        "выдача, экстрадиция, предварительный арест",
        "تسليم المجرمين، تسليم المطلوبين، التوقيف المؤقت",
        "引渡 临时逮捕 移交逃犯",
    ),
    "TSP": (
        "transfer of sentenced persons, prisoner transfer, transfer of prisoners",
        "transfèrement des personnes condamnées, transfert des détenus",
        "traslado de personas condenadas, traslado de presos",
        "передача осужденных лиц",
        "نقل الأشخاص المحكوم عليهم، نقل السجناء",
        "被判刑人员的移交 移管",
    ),
    "CNF": (
        "confiscation, forfeiture, freezing, restraint, seizure, assets, proceeds of crime,",
        "money laundering",
        "confiscation, gel des avoirs, saisie, produit du crime, blanchiment",
        "decomiso, embargo preventivo, congelación, incautación, producto del delito, blanqueo,",
        "lavado de dinero",
        "конфискация, замораживание, арест имущества, активы, доходы от преступлений, отмывание денег",
        "المصادرة، التجميد، الحجز، الأموال، عائدات الجريمة، غسل الأموال",
        "没收 冻结 扣押 资产 犯罪所得 洗钱",
    ),
    "ARF": (
        "asset recovery, return of assets, recouvrement d’avoirs, recuperación de activos,",
        "возвращение активов",
        "استرداد الموجودات، استرداد الأموال، 资产追回 追赃",
    ),
    "SOM-SEA": (
        "vessel, ship, boarding, flag, registry, smuggling of migrants, navire, arraisonnement,",
        "pavillon, buque",
        "судно, флаг, سفينة، علم السفينة، 船只 登船 船旗",
    ),
    "DRG-SEA": (
        "vessel, ship, drugs at sea, narcotics, navire, stupéfiants, buque, судно, наркотики,",
        "سفينة، مخدرات، 船只 毒品",
    ),
    "FIR": (
        "firearms, weapons, tracing, armes à feu, armas de fuego, огнестрельное оружие,",
        "أسلحة نارية، 枪支",
    ),
    "TIP-REP": (
        "trafficking in persons, victims, traite des personnes, trata de personas, торговля людьми,",
        "الاتجار بالأشخاص، 贩运人口",
    ),
    "SOM-REP": (
        "smuggled migrants, return, migrants objet d’un trafic, migrantes, мигранты, المهاجرون،",
        "偷运移民",
    ),
    "TDP": (
        "transfer of detained persons, witness, transfert de détenus témoins,",
        "traslado de detenidos, نقل المحتجزين، 在押人员移交",
    ),
    "TCP": (
        "transfer of proceedings, transfert des procédures pénales, remisión de actuaciones,",
        "передача производства, نقل الإجراءات، 刑事诉讼的移交",
    ),
    "JIT": (
        "joint investigation, joint team, enquêtes conjointes, investigaciones conjuntas,",
        "совместные расследования, التحقيقات المشتركة، 联合调查",
    ),
    "LEC": ("police, law enforcement, services de répression, policía, полиция, الشرطة، 执法 警察",),
    "CYB-24/7": (
        "preservation of data, computer, cybercrime, conservation des données,",
        "conservación de datos, сохранение данных, حفظ البيانات، 数据保全 网络犯罪",
    ),
    "PRV": ("prevention, prévention, prevención, предупреждение, المنع، 预防",),
    "UNCAC-PRV": ("corruption, prevention, corrupción, коррупция, الفساد، 腐败",),
    "LM": (
        "liaison magistrate, magistrat de liaison, magistrado de enlace, магистрат по связи,",
        "قاضي الاتصال، 联络法官",
    ),
}

_INSTRUMENT_WORDS = {
    "UNTOC": "Palermo, Palerme, organized crime, criminalité organisée, delincuencia organizada, CTO, CNUCTO",
    "UNCAC": "Merida, corruption, CNUCC, CNUCC",
    "1988 Convention": "drugs, narcotics, Vienna, stupéfiants, drogas",
    "ETS 185": "Budapest, cybercrime",
}


@cache
def folded_functions() -> dict[str, str]:
    """Return by code what a function is found by: code, title in the six languages, words of measures."""
    found = {}
    for code, listed in FUNCTIONS.items():
        titles = [_in_language(listed.title, language) for language in LANGUAGES]
        found[code] = fold_all(code, *titles, *_WORDS.get(code, ()))
    return found


@cache
def folded_instruments() -> dict[str, str]:
    """Return by short name everything an instrument is found by."""
    found = {}
    for short, title in INSTRUMENTS.items():
        titles = [_in_language(title, language) for language in LANGUAGES]
        found[short] = fold_all(short, *titles, _INSTRUMENT_WORDS.get(short, ""))
    return found


def _in_language(text: object, language: str) -> str:
    with override(language):
        return str(text)
