"""What the facts of an audit entry say to people; exports to check keep them as they are recorded."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext_lazy as _

from network.acts import in_words
from network.errors import Sentence
from network.languages import joined
from network.models import Role, SuspensionReason

# Keep the list alphabetical. A fact of an earlier or later release is shown as it is recorded.
NAMES: dict[str, Sentence] = {
    "after": _("After place"),
    "allows_codes": _("Codes allowed"),
    "authorities": _("Authorities"),
    "before": _("Roles before"),
    "bound": _("Stays in one device"),
    "cause": _("What is wrong"),
    "delegate": _("Who acts"),
    "delegations": _("Delegations ended"),
    "devices": _("Devices"),
    "drafts": _("Drafts"),
    "factor": _("Proven with"),
    "form": _("Form"),
    "from_at": _("From"),
    "functions": _("Functions"),
    "items": _("Messages and changes put back"),
    "kind": _("Kind"),
    "lines": _("Lines of the log"),
    "members": _("Authorities taking part"),
    "membership": _("For whom"),
    "messages": _("Messages"),
    "notifications": _("Notifications"),
    "n": _("Entry of the keyring or thread"),
    "outcome": _("What was found"),
    "part": _("Part of the entry"),
    "persons": _("Persons"),
    "predecessor": _("Taken over from"),
    "proposed": _("What was proposed"),
    "readmits": _("New passkey for"),
    "reason": _("Reason"),
    "roles": _("Roles"),
    "seq": _("Place in the thread"),
    "sign_ins": _("Sign-ins closed"),
    "signatures": _("Signatures"),
    "size": _("Size in bytes"),
    "state": _("State"),
    "state_is_new": _("First authority of the State"),
    "successor": _("Handed over to"),
    "thread": _("Thread"),
    "threads": _("Threads"),
    "tries": _("Attempts"),
    "until_at": _("Until"),
    "version": _("Version"),
    "years": _("Years"),
}
# What is recorded as a code. The same code means the same wherever it stands.
VALUES: dict[str, Sentence] = {
    **{reason.value: reason.label for reason in SuspensionReason},
    "passkey": _("Passkey"),
    "channels": _("Channels"),
    "code": _("Password and one-time code"),
    "codes": _("Password and one-time codes"),
    "complaint": _("A complaint or an inquiry"),
    "court-proceedings": _("Proceedings before a court"),
    "csv": _("A table"),
    "development": _("Nothing (trying out)"),
    "founded": _("Founded"),
    "harm": _("A harmful file, link or instruction"),
    "impersonation": _("Somebody pretends to be who they are not"),
    "json": _("Lines to check"),
    "languages": _("Languages accepted"),
    "office": _("Office"),
    "office-removed": _("Office removed"),
    "other-authority": _("Another authority has asked for it"),
    "pressure": _("Threats, insults or an offer of money"),
    "purpose": _("Used for what the network is not for"),
    "unfounded": _("Not founded"),
    "visibility": _("Visibility"),
    "known": _("An account there already"),
    "readmitted": _("Another authority gave the person a new passkey"),
    "recovery-code": _("Recovery code"),
}
_ROLES = {role.value: role.label for role in Role}
_ID = 32  # characters of a shortest id


def facts_in_words(
    facts: Mapping[str, object], names: Mapping[str, str]
) -> Iterator[tuple[Sentence, Sentence]]:
    """Give (name, value) of each fact that says something; `names` are of people and authorities, by id."""
    for key, value in facts.items():
        if key != "acting_for" and value is not None and value != "":
            yield NAMES.get(key, key), _value(key, value, names)


def _value(key: str, value: object, names: Mapping[str, str]) -> Sentence:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    text = str(value)
    if key == "proposed":
        return in_words(text)
    if key in {"roles", "before"}:
        return joined(str(_ROLES.get(role, role)) for role in text.split())
    if len(text) >= _ID and text.isalnum():
        return names.get(text) or f"{text[:8]}…"
    return VALUES.get(text, text)
