"""Who is who in the demonstration: fictional States, role titles instead of names, `.example` addresses.

Pure data, so that helper programs can name a membership without a database. The States carry user-assigned
codes of ISO 3166-1 (XAA to XZZ), which no State will ever have.
"""

import uuid
from dataclasses import dataclass

NAMESPACE = uuid.UUID("0b1f8f5e-7d0c-5f0e-9d52-3c1f6a2e4b77")


@dataclass(frozen=True)
class DemoPerson:
    """A role title with a mail address; `roles` are values of `network.models.Role`."""

    address: str
    name: str
    office: str
    roles: tuple[str, ...]

    @property
    def person_id(self) -> uuid.UUID:
        """Return the id, the same in every demonstration."""
        return uuid.uuid5(NAMESPACE, f"person {self.address}")

    @property
    def file_stem(self) -> str:
        """Return how the files of a program acting as this person are called."""
        return self.address.replace("@", "-at-")

    @property
    def membership_id(self) -> uuid.UUID:
        """Return the id of the standing, the same in every demonstration."""
        return uuid.uuid5(NAMESPACE, f"membership {self.address}")


@dataclass(frozen=True)
class DemoAuthority:
    """An authority; `functions` are (code, instrument, article); `state` is (code, name) or None."""

    key: str
    state: tuple[str, str] | None
    kind: str
    name: str
    functions: tuple[tuple[str, str, str], ...]
    persons: tuple[DemoPerson, ...]

    @property
    def authority_id(self) -> uuid.UUID:
        """Return the id, the same in every demonstration."""
        return uuid.uuid5(NAMESPACE, f"authority {self.key}")


STEWARD_A = DemoPerson(
    "key-steward@justice-a.example",
    "Key Steward (automatic in this demonstration)",
    "International Legal Cooperation Department",
    ("administrator",),
)
COUNTERPART_B = DemoPerson(
    "correspondance@justice-b.example",
    "Bureau d’ordre (réponses automatiques de la démonstration)",
    "Bureau de l’entraide pénale internationale",
    ("supervisor",),
)
PROSECUTOR_A = DemoPerson(
    "prosecutor@justice-a.example",
    "Prosecutor, Organized Crime Unit",
    "Public Prosecution Service",
    ("practitioner",),
)
JUDGE_B = DemoPerson(
    "juge@justice-b.example",
    "Juge d’instruction",
    "Tribunal de la capitale",
    ("practitioner",),
)
PROVER_1 = DemoPerson(
    "prover@proof-1.example", "Prover 1 (automatic)", "Start-up proof of this server", ("supervisor",)
)
PROVER_2 = DemoPerson(
    "prover@proof-2.example", "Prover 2 (automatic)", "Start-up proof of this server", ("supervisor",)
)

# Programs: they accept their invitations at the first start and sign in with passkeys of their own.
HELPERS = (STEWARD_A, COUNTERPART_B, PROVER_1, PROVER_2)

STATE_A = DemoAuthority(
    key="a",
    state=("XAA", "State A"),
    kind="central",
    name="Ministry of Justice, International Legal Cooperation Department",
    functions=(
        ("MLA", "UNTOC", "18(13)"),
        ("EXT", "UNTOC", "16"),
        ("CNF", "UNTOC", "13"),
    ),
    persons=(
        DemoPerson(
            "mla.officer@justice-a.example",
            "Officer, International Cooperation Division",
            "Mutual Legal Assistance Unit",
            ("officer",),
        ),
        DemoPerson(
            "assets.officer@justice-a.example",
            "Officer, Asset Recovery Desk",
            "Confiscation and Asset Recovery Unit",
            ("officer",),
        ),
        DemoPerson(
            "head@justice-a.example",
            "Head of International Cooperation Division",
            "International Legal Cooperation Department",
            ("supervisor",),
        ),
        DemoPerson(
            "accounts@justice-a.example",
            "Administrator of accounts",
            "International Legal Cooperation Department",
            ("administrator",),
        ),
        DemoPerson(
            "directory@justice-a.example",
            "Directory Editor",
            "International Legal Cooperation Department",
            ("directory-editor",),
        ),
        STEWARD_A,
        PROSECUTOR_A,
    ),
)
STATE_B = DemoAuthority(
    key="b",
    state=("XBB", "State B"),
    kind="central",
    name="Ministère de la Justice, Bureau de l’entraide pénale internationale",
    functions=(
        ("MLA", "UNTOC", "18(13)"),
        ("EXT", "UNTOC", "16"),
        ("CNF", "UNTOC", "13"),
        ("MLA", "UNCAC", "46(13)"),
    ),
    persons=(
        DemoPerson(
            "redacteur@justice-b.example",
            "Rédactrice ou rédacteur, pôle entraide",
            "Bureau de l’entraide pénale internationale",
            ("officer",),
        ),
        DemoPerson(
            "extradition@justice-b.example",
            "Rédactrice ou rédacteur, pôle extradition",
            "Bureau de l’entraide pénale internationale",
            ("officer",),
        ),
        COUNTERPART_B,
        JUDGE_B,
    ),
)
STATE_C = DemoAuthority(
    key="c",
    state=("XCC", "State C"),
    kind="central",
    name="وزارة العدل، إدارة التعاون القضائي الدولي (Department of International Judicial Cooperation)",
    functions=(
        ("MLA", "UNTOC", "18(13)"),
        ("CNF", "UNTOC", "13"),
    ),
    persons=(
        DemoPerson(
            "officer@justice-c.example",
            "موظف، قسم المساعدة القانونية (Officer, Legal Assistance Section)",
            "إدارة التعاون القضائي الدولي",
            ("officer",),
        ),
        DemoPerson(
            "head@justice-c.example",
            "رئيس قسم المساعدة القانونية (Head, Legal Assistance Section)",
            "إدارة التعاون القضائي الدولي",
            ("supervisor",),
        ),
    ),
)
PROOF_1 = DemoAuthority(
    key="proof-1",
    state=("XYY", "State Y (start-up proof)"),
    kind="competent",
    name="Proof authority 1, writes to itself when this server starts",
    functions=(),
    persons=(PROVER_1,),
)
PROOF_2 = DemoAuthority(
    key="proof-2",
    state=("XZZ", "State Z (start-up proof)"),
    kind="competent",
    name="Proof authority 2, read by itself when this server starts",
    functions=(),
    persons=(PROVER_2,),
)
SECRETARIAT = DemoAuthority(
    key="secretariat",
    state=None,
    kind="secretariat",
    name="Secretariat of the network",
    functions=(),
    persons=(
        DemoPerson(
            "officer@secretariat.example",
            "Secretariat Officer, Directory and Verification",
            "Secretariat of the network",
            ("directory-officer", "moderator"),
        ),
        DemoPerson(
            "second.officer@secretariat.example",
            "Second Secretariat Officer, Directory and Verification",
            "Secretariat of the network",
            ("directory-officer",),
        ),
        DemoPerson(
            "security@secretariat.example",
            "Secretariat Officer, Security",
            "Secretariat of the network",
            ("security-officer",),
        ),
    ),
)

# Found in the directory; nobody of them can be tried out, and most have no keys.
FURTHER = (
    DemoAuthority(
        key="a-assets",
        state=("XAA", "State A"),
        kind="competent",
        name="Asset Recovery Office of State A",
        functions=(("ARF", "UNCAC", "54"), ("CNF", "UNCAC", "55")),
        persons=(),
    ),
    DemoAuthority(
        key="d",
        state=("XDD", "State D"),
        kind="central",
        name="Fiscalía General, Unidad de Cooperación Internacional",
        functions=(("MLA", "UNTOC", "18(13)"), ("EXT", "UNTOC", "16"), ("MLA", "UNCAC", "46(13)")),
        persons=(),
    ),
    DemoAuthority(
        key="e",
        state=("XEE", "State E"),
        kind="central",
        name="Генеральная прокуратура, Управление международного сотрудничества",
        functions=(("MLA", "UNTOC", "18(13)"), ("EXT", "UNTOC", "16"), ("TSP", "UNTOC", "17")),
        persons=(),
    ),
    DemoAuthority(
        key="f",
        state=("XFF", "State F"),
        kind="central",
        name="F国司法部国际合作局",
        functions=(("MLA", "UNTOC", "18(13)"), ("CNF", "UNTOC", "13"), ("TSP", "UNTOC", "17")),
        persons=(),
    ),
    DemoAuthority(
        key="g",
        state=("XGG", "State G"),
        kind="central",
        name="Attorney General’s Chambers of State G",
        functions=(("MLA", "UNTOC", "18(13)"), ("TCP", "UNTOC", "21")),
        persons=(),
    ),
    DemoAuthority(
        key="h",
        state=("XHH", "State H"),
        kind="central",
        name="Crown Law Office of State H",
        functions=(("MLA", "UNTOC", "18(13)"), ("EXT", "UNTOC", "16"), ("CNF", "UNTOC", "13")),
        persons=(),
    ),
    DemoAuthority(
        key="i",
        state=("XII", "State I"),
        kind="central",
        name="النيابة العامة، مكتب التعاون الدولي",
        functions=(("MLA", "UNTOC", "18(13)"), ("EXT", "UNTOC", "16")),
        persons=(),
    ),
    DemoAuthority(
        key="j-sea",
        state=("XJJ", "State J"),
        kind="competent",
        name="Coast Guard of State J, Operations Centre",
        functions=(("SOM-SEA", "SOM", "8(6)"), ("DRG-SEA", "1988 Convention", "17(7)")),
        persons=(),
    ),
    DemoAuthority(
        key="k",
        state=("XKK", "State K"),
        kind="central",
        name="Ministério da Justiça, Departamento de Recuperação de Ativos e Cooperação",
        functions=(("MLA", "UNTOC", "18(13)"), ("CNF", "UNTOC", "13"), ("MLA", "UNCAC", "46(13)")),
        persons=(),
    ),
    DemoAuthority(
        key="l",
        state=("XLL", "Territory L (of State B)"),
        kind="central",
        name="Attorney General of the Territory",
        functions=(("MLA", "UNTOC", "18(13)"),),
        persons=(),
    ),
)

AUTHORITIES = (STATE_A, STATE_B, STATE_C, *FURTHER, PROOF_1, PROOF_2, SECRETARIAT)
