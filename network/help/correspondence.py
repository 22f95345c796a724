"""Help with messages: how far they have come, what is urgent, a weak line, who does whose work."""

from django.utils.translation import gettext_lazy as _

from network.help.parts import Page, Topic, care, define, entries, label, say, steps, text

HOW_FAR = Topic(
    "acknowledged",
    _("What do stored, delivered, opened and acknowledged mean?"),
    (
        text(_("They are different facts. Each message you sent shows how far it has come.")),
        entries(
            define(
                label("Waiting on this device"),
                label("Sealed and kept here. It is sent by itself when the line is back."),
            ),
            define(
                label("Stored"),
                label("The server has it and has signed for it; this device has checked the signature."),
            ),
            define(
                label("Delivered"),
                label("It has reached a device of the other authority. Nobody need have looked at it."),
            ),
            define(
                label("Opened"),
                label("An officer there had it on the screen; the officer’s device has signed this."),
            ),
            define(
                label("Acknowledged"),
                label(
                    "A named officer has signed that the authority received it. This never happens by "
                    "itself, and is not an answer."
                ),
            ),
        ),
        text(
            say(
                _(
                    "When somebody in your authority has read a message and takes care of it, choose "
                    "{acknowledge}, then {sign}."
                ),
                acknowledge=label("Acknowledge"),
                sign=label("Sign the acknowledgement"),
            ),
            _("An acknowledgement is signed and cannot be taken back. Nor can a message that was sent."),
        ),
    ),
    (Page("/threads/", label("Correspondence")),),
)

WEAK_LINE = Topic(
    "weak-line",
    _("The line is weak, or the server does not answer"),
    (
        text(_("A bar at the top says so. Nothing of yours is lost.")),
        entries(
            _("Go on writing. What you write is kept on this device, sealed."),
            say(
                _(
                    "Send as always. The message waits on this device and goes once, in its order, when the "
                    "line is back. {again} makes it try now."
                ),
                again=label("Try again now"),
            ),
            _("Do not write it a second time: a message that was sent twice by the line arrives once."),
            say(
                _(
                    "Leave a page of {threads} open, or come back to it later.",
                ),
                threads=label("Correspondence"),
            ),
            _("Signed out in the meantime? Sign in again on the same device; what you wrote is there."),
            _("Until a message says that it is stored, your counterpart cannot have it."),
        ),
        care(_("When it is urgent and the line stays away, telephone. The number is in the directory.")),
    ),
    (Page("/threads/", label("Correspondence")), Page("/directory/", label("Directory"))),
)

HAND_OVER = Topic(
    "hand-over",
    _("How do I act for a colleague, or hand work over?"),
    (
        steps(
            say(
                _("A supervisor or administrator opens the colleague under {people} and chooses {lend}."),
                people=label("People"),
                lend=label("Let this person act for me"),
            ),
            _("He or she says which roles, from which day and until when: 90 days at most."),
            say(
                _("The colleague opens {account} and chooses {act}."),
                account=label("Account"),
                act=label("Act for this colleague"),
            ),
            _("A line on every page says for whom one acts. The record says it too."),
            heading=_("Acting for a colleague"),
        ),
        steps(
            say(
                _("Open the person under {people} and choose {hand}."),
                people=label("People"),
                hand=label("Hand over"),
            ),
            _("Choose who takes over. The threads move, and the account ends, in one act."),
            _(
                "Send unsent drafts before: they cannot be handed over. What the person wrote stays, in "
                "his or her name."
            ),
            heading=_("When somebody leaves"),
        ),
        care(_("A hand-over cannot be undone. To come back, the person needs a new invitation.")),
    ),
    (Page("/people/", label("People")), Page("/account/", label("Account"))),
)
