"""Who is who in the demonstration: fictional States, role titles instead of names, `.example` addresses.

Pure data, so that helper programs can name a membership without a database. The States carry user-assigned
codes of ISO 3166-1 (XAA to XZZ), which no State will ever have.
"""

import uuid
from dataclasses import dataclass

NAMESPACE = uuid.UUID("0b1f8f5e-7d0c-5f0e-9d52-3c1f6a2e4b77")


@dataclass(frozen=True)
class DemoPerson:
    """A role title with an address; `role` is a value of `network.models.Role`."""

    email: str
    name: str
    office: str
    role: str

    @property
    def person_id(self) -> uuid.UUID:
        """Return the id, the same in every demonstration."""
        return uuid.uuid5(NAMESPACE, f"person {self.email}")

    @property
    def membership_id(self) -> uuid.UUID:
        """Return the id of the standing, the same in every demonstration."""
        return uuid.uuid5(NAMESPACE, f"membership {self.email}")


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
    "administrator",
)
COUNTERPART_B = DemoPerson(
    "correspondance@justice-b.example",
    "Bureau d’ordre (réponses automatiques de la démonstration)",
    "Bureau de l’entraide pénale internationale",
    "supervisor",
)
PROVER_1 = DemoPerson(
    "prover@proof-1.example", "Prover 1 (automatic)", "Start-up proof of this server", "supervisor"
)
PROVER_2 = DemoPerson(
    "prover@proof-2.example", "Prover 2 (automatic)", "Start-up proof of this server", "supervisor"
)

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
            "officer",
        ),
        DemoPerson(
            "assets.officer@justice-a.example",
            "Officer, Asset Recovery Desk",
            "Confiscation and Asset Recovery Unit",
            "officer",
        ),
        DemoPerson(
            "head@justice-a.example",
            "Head of International Cooperation Division",
            "International Legal Cooperation Department",
            "supervisor",
        ),
        STEWARD_A,
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
            "officer",
        ),
        DemoPerson(
            "extradition@justice-b.example",
            "Rédactrice ou rédacteur, pôle extradition",
            "Bureau de l’entraide pénale internationale",
            "officer",
        ),
        COUNTERPART_B,
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
            "officer",
        ),
        DemoPerson(
            "head@justice-c.example",
            "رئيس قسم المساعدة القانونية (Head, Legal Assistance Section)",
            "إدارة التعاون القضائي الدولي",
            "supervisor",
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
            "secretariat",
        ),
    ),
)

AUTHORITIES = (STATE_A, STATE_B, STATE_C, PROOF_1, PROOF_2, SECRETARIAT)
