"""What an authority can be designated for: a closed list of functions, each with where it comes from.

An authority has a function only under one article of one instrument. `DESIGNATIONS` are the ones the treaties
name; a function under another instrument (a regional convention, say) names its article itself.
"""

from dataclasses import dataclass
from itertools import groupby

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class ListedFunction:
    """A function of the list. `instrument` and `article` are what designations name first, if any."""

    code: str
    title: Promise
    instrument: str = ""
    article: str = ""


FUNCTIONS: dict[str, ListedFunction] = {
    listed.code: listed
    for listed in (
        ListedFunction("MLA", _("Central authority for mutual legal assistance"), "UNTOC", "18(13)"),
        ListedFunction("EXT", _("Authority for extradition"), "UNTOC", "16"),
        ListedFunction("TSP", _("Authority for the transfer of sentenced persons"), "UNTOC", "17"),
        ListedFunction("CNF", _("Authority for cooperation in confiscation"), "UNTOC", "13"),
        ListedFunction(
            "SOM-SEA", _("Authority for requests about vessels: smuggling of migrants"), "SOM", "8(6)"
        ),
        ListedFunction("DRG-SEA", _("Authority for illicit drug traffic by sea"), "1988 Convention", "17(7)"),
        ListedFunction("FIR", _("National body or point of contact for firearms"), "FIR", "13(2)"),
        ListedFunction("PRV", _("Authority that can assist in preventing organized crime"), "UNTOC", "31(6)"),
        ListedFunction("UNCAC-PRV", _("Authority that can assist in preventing corruption"), "UNCAC", "6(3)"),
        ListedFunction("ARF", _("Focal point for asset recovery")),
        ListedFunction("CIV", _("Focal point for civil and administrative proceedings"), "UNCAC", "43(1)"),
        ListedFunction("CUL", _("Trafficking in cultural property")),
        ListedFunction("TER", _("Terrorism")),
        ListedFunction("TIP-REP", _("Nationality and return of victims of trafficking"), "TIP", "8"),
        ListedFunction("SOM-REP", _("Nationality and return of smuggled migrants"), "SOM", "18"),
        ListedFunction("TDP", _("Transfer of detained persons as witnesses"), "UNTOC", "18(10)"),
        ListedFunction("TCP", _("Transfer of criminal proceedings"), "UNTOC", "21"),
        ListedFunction("JIT", _("Joint investigations"), "UNTOC", "19"),
        ListedFunction("LEC", _("Channel of law-enforcement cooperation"), "UNTOC", "27"),
        ListedFunction("CYB-24/7", _("Point of contact at all hours for cybercrime"), "ETS 185", "35"),
        ListedFunction("FP-32", _("Focal point for the Conference of the Parties"), "UNTOC", "32(5)"),
        ListedFunction("NCB", _("INTERPOL National Central Bureau (reference entry)")),
        ListedFunction("LM", _("Liaison magistrate (post)")),
    )
}

Designation = tuple[str, str, str]  # code, instrument, article

_FURTHER: tuple[Designation, ...] = (
    ("MLA", "UNCAC", "46(13)"),
    ("MLA", "1988 Convention", "7(8)"),
    ("EXT", "UNCAC", "44"),
    ("EXT", "1988 Convention", "6"),
    ("TSP", "UNCAC", "45"),
    ("CNF", "UNCAC", "55"),
)
INSTRUMENTS = {
    "UNTOC": _("United Nations Convention against Transnational Organized Crime"),
    "TIP": _("Trafficking in Persons Protocol"),
    "SOM": _("Smuggling of Migrants Protocol"),
    "FIR": _("Firearms Protocol"),
    "UNCAC": _("United Nations Convention against Corruption"),
    "1988 Convention": _("United Nations Convention against Illicit Traffic in Narcotic Drugs"),
    "ETS 185": _("Council of Europe Convention on Cybercrime"),
}

DESIGNATIONS: tuple[Designation, ...] = tuple(
    sorted(
        [
            *((row.code, row.instrument, row.article) for row in FUNCTIONS.values() if row.article),
            *_FURTHER,
        ],
        key=lambda row: (list(INSTRUMENTS).index(row[1]), list(FUNCTIONS).index(row[0])),
    )
)


def designations_by_instrument() -> list[tuple[str, list[tuple[Designation, Promise]]]]:
    """Return the designations with their titles, for the form: one group for each instrument."""
    return [
        (instrument, [(row, FUNCTIONS[row[0]].title) for row in rows])
        for instrument, rows in groupby(DESIGNATIONS, key=lambda row: row[1])
    ]
