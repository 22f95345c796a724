"""Turns a broken rule of the sealed protocol into a refusal with a sentence for the human."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext_lazy as _

from messaging.sealed.errors import Refused
from network.errors import Conflict, Invalid, Refusal, Sentence, Unavailable

_DAMAGED = _("What was sent is damaged, so nothing was changed.")
_MOVED_ON = _("The correspondence has moved on in the meantime. Load it anew, then send it again.")
_NOT_LISTED = _("This device is not listed for your authority. A supervisor can add it.")
_NOT_MEMBERS = _("The keys sent along do not fit the members, so nothing was changed.")
_OTHER_PLACE = _("This belongs to another correspondence.")
_WEAK_KEY = _("A key that was sent is not safe, so nothing was changed. Set this device up again.")

SENTENCES: dict[str, Sentence] = {
    "approval-needed": _(
        "A second person who keeps the keys must approve this first, or the recovery kit must."
    ),
    "being-restored": _(
        "The network is being put back after a fault. What waits on this device is sent by itself when "
        "that is over."
    ),
    "entry-lost": _(
        "Newer keys of this keyring were lost by a fault of the server. A device that has them must hand "
        "them back first."
    ),
    "items-missing": _("Something before this is missing here too."),
    "lines-differ": _("The lines kept beside the mark are not those of this log. Nothing was put back."),
    "no-restore": _("The network was not put back, so there is nothing to hand back."),
    "not-announced": _("Two directory officers must sign for the restore first."),
    "not-logged": _("The log of keys does not name this entry, so nothing was changed."),
    "person-lost": _("The account of a person whose device this is was lost. Invite that person first."),
    "place-taken": _("Something else stands at this place by now."),
    "restore-differs": _("What was signed is not the restore that has begun. Load the page anew."),
    "restore-open": _("A restore has begun already. End it first."),
    "bad-checkpoint": _("This is no state of the log that this server has signed."),
    "already-reported": _("Your authority has reported one of these messages already."),
    "attachment-differs": _("Another file was sent under this number. Choose the file again."),
    "attachment-missing": _("A file of this message is not stored whole. Add it again, then send."),
    "bad-encoding": _DAMAGED,
    "bad-envelope-size": _NOT_MEMBERS,
    "bad-kem-key": _WEAK_KEY,
    "bad-signature": _("The signature does not hold, so nothing was changed."),
    "bad-statement": _DAMAGED,
    "beyond-the-end": _("The correspondence does not go that far."),
    "clock-ahead": _("The clock of this device is wrong. Set it right, then try again."),
    "confirm-differs": _(
        "What your device has signed is not what stands here: the keys or the note are others now. Load the "
        "page anew, look again, then decide."
    ),
    "consent-expired": _("A consent is not in force any more. Ask the supervisor for a new one."),
    "consent-missing": _("A supervisor of every party must consent to this first."),
    "confirmation-needed": _(
        "The urgent request was not confirmed in writing yet. It is confirmed, or that is waived, before the "
        "case is closed."
    ),
    "consultation-needed": _(
        "Before a refusal or postponement the other side is consulted, and has answered or had the time to. "
        "Where another treaty governs, say so with the reason."
    ),
    "consultation-too-short": _("A consultation leaves the other side a day at least to answer."),
    "forbidden-stage": _("This step does not follow where the case stands. Look at the case, then decide."),
    "not-a-case": _("Steps are taken in a case between two authorities."),
    "stale-stage": _(
        "Another step was taken in this case in the meantime. Look at it, then decide. Nothing was changed."
    ),
    "unknown-stage": _("There is no such step in a case of this kind, or something with it is missing."),
    "wrong-side": _("This step is the other authority's to take."),
    "consent-spent": _("This consent was used before. Ask the supervisor for a new one."),
    "counter-gap": _(
        "A message of this device is missing before this one. Reload the page and send it again."
    ),
    "device-not-requested": _("A device can be added only while its request is waiting."),
    "expelled-party": _("A party leaves only by itself. Open another correspondence without it."),
    "history-not-shared": _("Not every party has consented that earlier messages can be read."),
    "expired-approval": _("An approval holds for one day. Ask for it again."),
    "id-reused": _("Another message was already sent under this number. Write it again."),
    "keyring-exists": _("Your authority has a keyring already."),
    "keyring-ended": _("Other keys have taken the place of these, so nothing was changed."),
    "keyring-waits": _("These keys count when two directory officers have confirmed them."),
    "log-rolled-back": _(
        "The server has lost a part of its record of keys. Nothing can be added until its operator has "
        "restored it."
    ),
    "no-room": _("Your authority has no room for more files. Tell your administrator or the secretariat."),
    "mandate-ended": _("The mandate has ended. Who wrote under it must be taken out first."),
    "may-not-write": _("Your authority reads along in this correspondence and does not write."),
    "no-keyring": _("Your authority has no keyring yet. A supervisor creates it once."),
    "not-in-thread": _("One of these messages does not stand in this thread, so nothing was reported."),
    "own-messages": _("Only messages of your own authority were chosen. Choose one of the other side too."),
    "report-closed": _("A colleague has closed this report already."),
    "not-a-member": _("Your authority has no part in this correspondence."),
    "no-proposal": _("This change no longer waits: the keys have changed since, or it was taken back."),
    "no-steward": _("Somebody must go on keeping the keys. Let another device keep them first."),
    "not-a-party": _("Only a party changes who is in a correspondence."),
    "not-a-steward": _("Only a device that keeps the keyring can add others."),
    "not-a-supervisor": _("This must be signed by a supervisor."),
    "not-confirmed": _(
        "Two persons of the secretariat must confirm the new keys, and your supervisor accept them."
    ),
    "not-the-recovery-key": _(
        "This is not the newest recovery kit of your authority. Look for the one that was printed last."
    ),
    "reused-key": _("These keys were used before. Set this device up again."),
    "stale-author-keyring": _MOVED_ON,
    "stale-epoch": _MOVED_ON,
    "stale-keyring": _MOVED_ON,
    "stale-member-keyring": _MOVED_ON,
    "stale-transcript": _MOVED_ON,
    "standing-ended": _("The person of this device no longer acts for your authority."),
    "statement-differs": _("The device names another person, name or office than your own."),
    "succeeded": _(
        "An authority in this correspondence has lost its keys and goes on with new ones. Let a supervisor "
        "compare their fingerprint and put them in here; your text is kept."
    ),
    "thread-exists": _("This correspondence is open already."),
    "unknown-witness": _("No witness of this network has signed this."),
    "too-late": _("This was signed more than a day ago. Sign it again."),
    "unknown-outcome": _("Choose what you found."),
    "unlisted-device": _NOT_LISTED,
    "unknown-mandate": _("There is no such mandate in this correspondence."),
    "weak-signing-key": _WEAK_KEY,
    "wrong-card": _OTHER_PLACE,
    "wrong-chunk": _DAMAGED,
    "wrong-approval": _(
        "The approval is for another change, or by somebody who cannot give it. Ask for it again."
    ),
    "wrong-cipher": _DAMAGED,
    "wrong-files": _("A file can have at most 1 GiB, and ten files go with one message."),
    "wrong-kind": _("An authority can create only a keyring of its own."),
    "wrong-messages": _("Choose from one to twenty messages."),
    "wrong-network": _("This was made for another network, so nothing was changed."),
    "wrong-plain": _("A text is not the one that was signed, so nothing was reported."),
    "wrong-principal": _("This was made for another authority."),
    "wrong-recipients": _NOT_MEMBERS,
    "sponsor-ended": _("Nobody answers for this prosecutor or judge any more. A supervisor can do so anew."),
    "wrong-sponsor": _(
        "This was not signed for this person and device by a supervisor of the authority that answers."
    ),
    "wrong-sealed": _NOT_MEMBERS,
    "wrong-succession": _("The keys that are to be succeeded are not known here, so nothing was changed."),
    "wrong-thread": _OTHER_PLACE,
}
GENERAL: Sentence = _("This does not follow the rules of sealed correspondence, so nothing was changed.")

# Somebody else was first, or stands there already: look again, then decide.
OF_STEPS = (
    "confirmation-needed",
    "consultation-needed",
    "consultation-too-short",
    "forbidden-stage",
    "not-a-case",
    "stale-stage",
    "wrong-side",
)
"""What a device says of a step that it would not sign (M10, M11)."""
CONFLICTS = frozenset(
    {
        "already-reported",
        "report-closed",
        "attachment-differs",
        "attachment-missing",
        "entry-lost",
        "id-reused",
        "keyring-ended",
        "keyring-exists",
        "keyring-waits",
        "no-keyring",
        "no-proposal",
        "no-restore",
        "no-room",
        "not-announced",
        "place-taken",
        "restore-open",
        "stale-author-keyring",
        "stale-epoch",
        "stale-keyring",
        "stale-member-keyring",
        "stale-stage",
        "stale-transcript",
        "succeeded",
        "thread-exists",
    }
)

# What only the operator can mend (L8).
TROUBLES = frozenset({"being-restored", "log-rolled-back"})


def refusal(code: str) -> Refusal:
    """Return the refusal with this code and its sentence: 409 where looking again helps, 503, or 422."""
    kind = Unavailable if code in TROUBLES else Conflict if code in CONFLICTS else Invalid
    return kind(code, SENTENCES.get(code, GENERAL))


@contextmanager
def protocol_rules() -> Iterator[None]:
    """Turn a `Refused` of the sealed protocol into a `Refusal` with the same code."""
    try:
        yield
    except Refused as refused:
        raise refusal(refused.code) from refused
