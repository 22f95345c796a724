"""Entries of the demonstration's authorities: fictional States, role mailboxes, numbers kept for fiction.

Hours and calendars are awkward on purpose: weeks from Sunday to Thursday, half days, lunch, +05:45 and
+12:45, summer time on different dates, hours of a month of fasting, a territory with its own authority.
"""

from dataclasses import dataclass, field

LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ARABIC = (
    "ألف باء جيم دال هاء واو زاي حاء طاء ياء كاف لام ميم نون سين عين فاء صاد قاف راء شين تاء ثاء خاء ذال ضاد"
)
ARABIC = _ARABIC.split()


def state_names(code: str, name: str) -> dict[str, str]:
    """Return what a fictional State is called in the six languages; nothing for those of the proof."""
    letter = code[1]
    if name == TERRITORY_L["en"]:
        return TERRITORY_L
    if name != f"State {letter}":
        return {}
    return {
        "ar": f"الدولة {ARABIC[LATIN.index(letter)]}",
        "zh-hans": f"{letter}国",
        "en": f"State {letter}",
        "fr": f"État {letter}",
        "ru": f"Государство {letter}",
        "es": f"Estado {letter}",
    }


TERRITORY_L = {
    "ar": "الإقليم لام (التابع للدولة باء)",
    "zh-hans": "L领土（B国）",
    "en": "Territory L (of State B)",
    "fr": "Territoire L (de l’État B)",
    "ru": "Территория L (Государства B)",
    "es": "Territorio L (del Estado B)",
}


@dataclass(frozen=True)
class DemoOffice:
    """An office. `hours` are by days of the week (0 is Monday) as an editor types them; `special` are
    (first, last, why, hours) with days counted from the day the demonstration is loaded.
    """

    name: str
    time_zone: str
    hours: dict[str, str] = field(default_factory=dict)
    kind: str = "main"
    address: str = ""
    telephones: tuple[str, ...] = ()
    mail: str = ""
    duty_telephone: str = ""
    is_always_open: bool = False
    special: tuple[tuple[int, int, str, str], ...] = ()


@dataclass(frozen=True)
class DemoEntry:
    """An entry. `public` are the groups shown to everybody; the others are for the network."""

    languages: dict[str, tuple[str, ...]]
    offices: tuple[DemoOffice, ...]
    names: dict[str, str] = field(default_factory=dict)
    channels: tuple[str, ...] = ("network", "post")
    channel_note: str = ""
    formal_requests: str = "yes"
    oral_requests: str = ""
    urgent_procedure: str = ""
    public: tuple[str, ...] = ()
    is_public: bool = True
    confirmed_days_ago: int | None = 20


_WORKDAYS = "01234"
_SUNDAY_TO_THURSDAY = "60123"
_USUAL = ("address", "hours", "languages", "channels")

ENTRIES: dict[str, DemoEntry] = {
    "a": DemoEntry(
        languages={"": ("en", "es")},
        names={"fr": "Ministère de la Justice, Département de la coopération judiciaire internationale"},
        channels=("network", "courier", "diplomatic", "interpol-urgent"),
        channel_note="One copy is enough. A translation by the requesting authority is accepted.",
        oral_requests="yes",
        urgent_procedure="Telephone the duty counsel first, then send the request here, marked urgent.",
        public=(*_USUAL, "telephone"),
        offices=(
            DemoOffice(
                "International Legal Cooperation Department",
                "America/New_York",
                {_WORKDAYS: "08:30-12:00, 13:00-17:00"},
                address="Ministry of Justice\n1 Example Square\nCapital, State A",
                telephones=("+1 202 555 0101", "+1 202 555 0102"),
                mail="requests@justice-a.example",
                special=((3, 3, "National day", ""), (10, 10, "Eve of a holiday", "08:30-12:00")),
            ),
            DemoOffice(
                "Duty counsel",
                "America/New_York",
                kind="duty",
                duty_telephone="+1 202 555 0199",
                is_always_open=True,
            ),
        ),
    ),
    "b": DemoEntry(
        languages={"": ("fr", "en"), "EXT": ("fr",)},
        names={"en": "Ministry of Justice, International Mutual Assistance Office"},
        channels=("network", "post", "diplomatic"),
        channel_note="Les demandes d’extradition passent par la voie diplomatique ; copie anticipée ici.",
        formal_requests="advance",
        oral_requests="no",
        public=_USUAL,
        confirmed_days_ago=45,
        offices=(
            DemoOffice(
                "Bureau de l’entraide pénale internationale",
                "Europe/Paris",
                {"0123": "09:00-12:30, 13:30-17:30", "4": "09:00-12:30, 13:30-16:00"},
                address="Ministère de la Justice\n2, place de l’Exemple\nCapitale, État B",
                telephones=("+33 1 99 00 12 34",),
                mail="entraide@justice-b.example",
                duty_telephone="+33 1 99 00 12 99",
                special=((5, 12, "Congés annuels", ""),),
            ),
        ),
    ),
    "c": DemoEntry(
        languages={"": ("ar", "en")},
        names={"en": "Ministry of Justice, Department of International Judicial Cooperation"},
        channels=("network", "mail", "diplomatic"),
        urgent_procedure="يُرجى الاتصال بالمناوب أولاً ثم إرسال الطلب عبر هذه الشبكة.",
        oral_requests="yes",
        public=("hours", "languages"),
        confirmed_days_ago=100,
        offices=(
            DemoOffice(
                "إدارة التعاون القضائي الدولي",
                "Africa/Cairo",
                {_SUNDAY_TO_THURSDAY: "08:00-15:00"},
                address="وزارة العدل\nساحة المثال 3\nالعاصمة، الدولة جيم",
                telephones=("+44 20 7946 0301",),
                mail="cooperation@justice-c.example",
                duty_telephone="+44 20 7946 0399",
                special=((20, 49, "شهر الصيام", "09:00-13:30"), (50, 53, "عيد", "")),
            ),
        ),
    ),
    "a-assets": DemoEntry(
        languages={"": ("en",)},
        public=("hours", "languages"),
        confirmed_days_ago=200,
        offices=(
            DemoOffice(
                "Asset Recovery Office",
                "America/New_York",
                {"0123": "09:00-16:30", "4": "09:00-12:00"},
                telephones=("+1 202 555 0140",),
                mail="assets@recovery-a.example",
            ),
        ),
    ),
    "d": DemoEntry(
        languages={"": ("es", "pt")},
        names={"en": "Office of the Attorney General, International Cooperation Unit"},
        channels=("network", "post", "mail"),
        public=_USUAL,
        offices=(
            DemoOffice(
                "Unidad de Cooperación Internacional",
                "America/Bogota",
                {_WORKDAYS: "08:00-12:00, 14:00-18:00"},
                address="Fiscalía General\nAvenida del Ejemplo 4\nCapital, Estado D",
                telephones=("+1 202 555 0160",),
                mail="cooperacion@fiscalia-d.example",
                special=((2, 2, "Fiesta nacional", ""),),
            ),
        ),
    ),
    "e": DemoEntry(
        languages={"": ("ru", "kk"), "EXT": ("ru",)},
        names={"en": "Office of the Prosecutor General, International Cooperation Directorate"},
        channels=("network", "diplomatic"),
        public=("hours", "languages", "channels"),
        confirmed_days_ago=300,
        offices=(
            DemoOffice(
                "Управление международного сотрудничества",
                "Asia/Almaty",
                {_WORKDAYS: "09:00-13:00, 14:30-18:30"},
                telephones=("+44 20 7946 0501",),
                mail="mejdunarod@prokuratura-e.example",
            ),
        ),
    ),
    "f": DemoEntry(
        languages={"": ("zh", "en")},
        names={"en": "Ministry of Justice, Bureau of International Cooperation"},
        channels=("network", "post", "diplomatic"),
        public=_USUAL,
        offices=(
            DemoOffice(
                "国际合作局",
                "Asia/Shanghai",
                {_WORKDAYS: "08:30-11:30, 13:30-17:00"},
                address="F国司法部\n示例路6号\n首都",
                telephones=("+44 20 7946 0601",),
                special=((30, 36, "春节", ""), (37, 37, "补班", "09:00-16:00")),
            ),
        ),
    ),
    "g": DemoEntry(
        languages={"": ("ne", "en")},
        public=_USUAL,
        offices=(
            DemoOffice(
                "Attorney General’s Chambers",
                "Asia/Kathmandu",
                {_SUNDAY_TO_THURSDAY: "10:00-17:00", "4": "10:00-15:00"},
                address="Attorney General’s Chambers\n7 Example Road\nCapital, State G",
                telephones=("+44 20 7946 0701",),
                mail="mla@chambers-g.example",
            ),
        ),
    ),
    "h": DemoEntry(
        languages={"": ("en",)},
        formal_requests="no",
        channels=("mail", "post"),
        public=(*_USUAL, "telephone", "mail"),
        confirmed_days_ago=None,
        offices=(
            DemoOffice(
                "Crown Law Office",
                "Pacific/Chatham",
                {"0124": "08:45-12:15, 13:00-16:45", "3": "08:45-12:15"},
                address="Crown Law Office\nPost Office Box 8\nState H",
                telephones=("+44 20 7946 0801",),
                mail="crown.law@government-h.example",
            ),
        ),
    ),
    "i": DemoEntry(
        languages={"": ("ar", "fr", "en")},
        names={"en": "Public Prosecution, International Cooperation Office"},
        is_public=False,
        offices=(
            DemoOffice(
                "مكتب التعاون الدولي",
                "Asia/Riyadh",
                {_SUNDAY_TO_THURSDAY: "07:30-14:30"},
                telephones=("+44 20 7946 0901",),
                special=((20, 49, "شهر رمضان", "10:00-15:00"),),
            ),
        ),
    ),
    "j-sea": DemoEntry(
        languages={"": ("en", "sw")},
        channels=("network", "mail"),
        oral_requests="yes",
        urgent_procedure="Telephone the watch at once; name, position, course and flag are enough to begin.",
        public=("hours", "languages", "duty"),
        offices=(
            DemoOffice(
                "Operations centre, the watch",
                "Africa/Nairobi",
                kind="duty",
                duty_telephone="+44 20 7946 0999",
                is_always_open=True,
            ),
        ),
    ),
    "k": DemoEntry(
        languages={"": ("pt", "es", "en")},
        names={"en": "Ministry of Justice, Department of Asset Recovery and Cooperation"},
        public=_USUAL,
        offices=(
            DemoOffice(
                "Departamento de Recuperação de Ativos e Cooperação",
                "America/Sao_Paulo",
                {_WORKDAYS: "09:00-18:00"},
                telephones=("+1 202 555 0170",),
                mail="cooperacao@justica-k.example",
            ),
            DemoOffice(
                "Plantão",
                "America/Sao_Paulo",
                {"01234": "20:00-04:00", "56": "00:00-24:00"},
                kind="duty",
                duty_telephone="+1 202 555 0179",
            ),
        ),
    ),
    "l": DemoEntry(
        languages={"": ("en", "fr")},
        channel_note="For the territory only: it has its own system of mutual legal assistance.",
        public=_USUAL,
        confirmed_days_ago=150,
        offices=(
            DemoOffice(
                "Registry of the Attorney General of the Territory",
                "Atlantic/Azores",
                {_WORKDAYS: "09:00-13:00"},
                kind="registry",
                address="Registry\n12 Harbour Street\nTerritory L",
            ),
        ),
    ),
}
