"""Help with what is urgent, with notifications, the directory, and working by keyboard."""

from django.utils.translation import gettext_lazy as _

from network.help.parts import Page, Topic, care, entries, label, say, steps, text
from network.models import Role

URGENT = Topic(
    "urgent",
    _("How do I write something urgent, or with a date?"),
    (
        steps(
            _("When minutes count, telephone first. Then write, and say that you have telephoned."),
            say(_("Below your text, open {fold}."), fold=label("Urgency, date wanted and handling")),
            _("Choose how urgent it is. If you need the answer by a day, give that day."),
            _("Say why in one sentence: either of them asks for it, so that urgent stays urgent."),
            _("Send. Look whether it is acknowledged; if not, telephone."),
            _(
                "While nobody there acknowledges it, their duty officers are told again, then their "
                "supervisors and you. The message says when, and by which number they answer."
            ),
        ),
        entries(
            say(_("{ordinary}: it is answered in its turn."), ordinary=label("Ordinary")),
            say(_("{urgent}: it is looked at today."), urgent=label("Urgent")),
            label("At once: liberty, evidence or assets are at risk"),
            heading=_("Which one"),
        ),
        care(
            _(
                "The server sees the urgency and the date, so that it can tell somebody, also at "
                "night. The reason is sealed like the text."
            )
        ),
    ),
    (Page("/threads/new/", label("Write to an authority")), Page("/directory/", label("Directory"))),
)

NOTIFICATIONS = Topic(
    "notifications",
    _("Notifications, mail and quiet hours"),
    (
        text(
            _(
                "The bell counts what waits for you: messages, acknowledgements, devices, proposals. "
                "What you have opened on one device is gone on all."
            )
        ),
        entries(
            _("Choose what tells you at once: everything, only what is urgent, or nothing."),
            say(
                _("For one correspondence choose otherwise on its page: {here}."),
                here=label("What tells you at once here"),
            ),
            _("Choose whether mail comes at once, once an hour or once a day. What is urgent comes at once."),
            _("Choose quiet hours in your time zone, and whether what is urgent comes in them too."),
            say(
                _("{browser} works also while no page is open. Choose it in each browser."),
                browser=label("Show messages in this browser"),
            ),
        ),
        care(
            _(
                "Mail and messages of the browser say only that something waits. They name no case, no "
                "State and no person. A mail that says more is not from here."
            )
        ),
    ),
    (
        Page("/notifications/", label("Notifications")),
        Page("/notifications/settings/", label("Settings of notifications")),
    ),
)

DIRECTORY = Topic(
    "directory",
    _("How do I find the authority to ask?"),
    (
        steps(
            say(
                _("Open the {directory}. Type a State, an authority or what you need, in any language."),
                directory=label("Directory"),
            ),
            _("Look at the functions: who is designated for what, under which article."),
            _("Look whether the office is open now, and which languages it accepts."),
            say(
                _("Look at {confirmed}: what is old may have changed."),
                confirmed=label("Last confirmed by the State"),
            ),
            say(
                _("Look at {keys}. An authority without keys cannot be written to here."), keys=label("Keys")
            ),
            say(
                _("Choose {write}, or telephone."),
                write=label("Write to this authority"),
            ),
        ),
        text(
            _(
                "Each State decides what everybody sees, and what only members of this network see. "
                "Sign in to see more."
            )
        ),
    ),
    (Page("/directory/", label("Directory")),),
)

DIRECTORY_EDITOR = Topic(
    "directory-editor",
    _("Directory editor"),
    (
        text(_("You keep the entry of your authority right. Others rely on it, also at night.")),
        steps(
            say(
                _("Open {own} in the directory."),
                own=label("Our own entry"),
            ),
            _("Give the numbers and addresses of offices, never those of a person."),
            _("Give the hours as the clock of the office shows them, its time zone, and its holidays."),
            _("Name the languages in which requests are accepted, and how they are to be sent."),
            say(
                _("Under {visible} choose what everybody sees and what only members see."),
                visible=label("Names and visibility"),
            ),
            say(_("Look at it as others do: {preview}."), preview=label("How others see it")),
            say(
                _("Every six months: {confirm}, also when nothing has changed."),
                confirm=label("Confirm that everything is right"),
            ),
        ),
        text(
            _(
                "You cannot add functions. The secretariat enters them from a notification of your "
                "State. Administrators of accounts may edit the entry too."
            )
        ),
    ),
    (Page("/directory/own/", label("Our own entry")),),
    frozenset({Role.DIRECTORY_EDITOR}),
)

KEYBOARD = Topic(
    "keyboard",
    _("Working by keyboard, with a screen reader, or with large text"),
    (
        entries(
            _("Every page works with Tab, Shift and Tab, Enter, Space and the arrow keys."),
            _("The first Tab of a page offers to skip to the content."),
            _("Press ? for the list of shortcuts. Single keys do nothing while you type."),
            _("Messages are a list. Each begins with its author, then the text, then how far it has come."),
            _("New messages are announced once, without moving you away from where you are."),
            say(
                _(
                    "Under {appearance} choose larger text, light or dark, less motion, and no shortcuts of "
                    "a single key."
                ),
                appearance=label("Appearance"),
            ),
            _("Pages can be enlarged to 400 % without losing anything."),
            _("You are warned before you are signed out, and can stay."),
        ),
        text(
            _(
                "Something cannot be reached or is not read out? Tell your administrator the page and "
                "what you wanted to do."
            )
        ),
    ),
    (Page("/account/appearance/", label("Appearance")),),
)

PROGRAMS = Topic(
    "programs",
    _("For programs: connect your own system"),
    (
        text(
            _(
                "Your case management system can receive, acknowledge and answer by itself. It is a "
                "member of your authority like an officer, with a device of its own."
            )
        ),
        steps(
            say(
                _(
                    "An administrator invites the program, with a mail address of its own and the role "
                    "{officer}."
                ),
                officer=label("Officer"),
            ),
            _("The program accepts the invitation and makes its own passkey, kept in an encrypted file."),
            _("The program asks for its device; a colleague compares the code and approves it."),
            _("Follow the guide. Its examples are run by our tests exactly as they stand."),
        ),
    ),
    (Page("/people/", label("People")), Page("/devices/", label("Devices"))),
)
