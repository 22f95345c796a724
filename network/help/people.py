"""Help for each role."""

from django.utils.translation import gettext_lazy as _

from network.help.parts import Page, Topic, care, entries, label, say, steps, text
from network.models import Role

OFFICER = Topic(
    "officer",
    _("Officer: your first day"),
    (
        text(_("It takes about ten minutes. You need your invitation and a computer of your office.")),
        steps(
            _("Open the link in your invitation. It works once, within 72 hours."),
            _("Make a passkey. Your computer asks for its PIN, your finger or your face."),
            _("Print the recovery codes and lock them away."),
            say(
                _("Open {devices}, choose {ask}, and read the code to the colleague who approves devices."),
                devices=label("Devices"),
                ask=label("Make device keys and ask"),
            ),
            say(_("Find whom to ask in the {directory}."), directory=label("Directory")),
            say(
                _("Choose {write}, compare the fingerprint by telephone, write, and choose {send}."),
                write=label("Write to an authority"),
                send=label("Seal and send"),
            ),
        ),
        text(
            _("Look at the start page every morning: it shows what your authority has to answer."),
            _(
                "What you write and receive belongs to your authority: its other officers read it too. "
                "Administrators and the secretariat do not."
            ),
        ),
    ),
    (
        Page("/", label("Start")),
        Page("/devices/", label("Devices")),
        Page("/threads/", label("Correspondence")),
    ),
    frozenset({Role.OFFICER}),
)

SUPERVISOR = Topic(
    "supervisor",
    _("Supervisor"),
    (
        text(_("You do what an officer does. You also answer for the keys and for who handles what.")),
        entries(
            _("Make the keys of your authority once, and keep the recovery kit safe."),
            say(
                _(
                    "Approve devices: a colleague reads you a code, by telephone or in person. Compare "
                    "every digit, then choose {approve}."
                ),
                approve=label("Approve"),
            ),
            _("Have a second person who approves devices. Your partners see when one person does it alone."),
            say(
                _("Take over a thread with {handle}. Your partners see who handles it."),
                handle=label("I handle this thread from now on"),
            ),
            _("Lend your roles to a colleague while you are away, and hand over when somebody leaves."),
            say(_("Read in {audit} what was done for your authority."), audit=label("Audit")),
        ),
        care(
            _(
                "You sign in with a passkey that stays in one device. After 15 minutes without anything "
                "done you are signed out."
            )
        ),
    ),
    (Page("/devices/", label("Devices")), Page("/people/", label("People")), Page("/audit/", label("Audit"))),
    frozenset({Role.SUPERVISOR}),
)

DUTY_OFFICER = Topic(
    "duty-officer",
    _("Duty officer"),
    (
        text(
            _(
                "You watch outside office hours. The role alone does not open correspondence yet, so "
                "prepare this in the daytime:"
            )
        ),
        steps(
            say(_("Ask your administrator for the role {officer} too."), officer=label("Officer")),
            _("Have the device that you use at night approved, and try it."),
            _("Look at your notifications: urgent messages should reach you in quiet hours too."),
        ),
        text(
            _("When something urgent comes:"),
        ),
        steps(
            _("Open it and read it."),
            say(
                _("Choose {acknowledge}, then {sign}. The other side sees your name, office and the time."),
                acknowledge=label("Acknowledge"),
                sign=label("Sign the acknowledgement"),
            ),
            _("Answer with what happens next and by when, even if it is only one sentence."),
            _("When minutes count, telephone as well. The number is in the directory."),
        ),
        text(
            _(
                "Until somebody of your authority has acknowledged or answered, you are told again, and "
                "the other authority learns that nobody has. Your authority sets the minutes in its entry."
            )
        ),
    ),
    (Page("/", label("Start")), Page("/notifications/settings/", label("Notifications"))),
    frozenset({Role.DUTY_OFFICER}),
)

ADMINISTRATOR = Topic(
    "administrator",
    _("Administrator of accounts"),
    (
        text(_("You decide who works for your authority here. You do not read correspondence.")),
        entries(
            say(
                _("{invite}: the mail goes to one address. Its link works once, within 72 hours."),
                invite=label("Invite somebody"),
            ),
            _("Give nobody more roles than the work needs."),
            say(
                _(
                    "{attest}: every six months. Whoever is not attested within one month more cannot sign "
                    "in."
                ),
                attest=label("Attest accounts"),
            ),
            say(
                _(
                    "{suspend}: at once, when a device was stolen or something looks wrong. What is open "
                    "closes within seconds."
                ),
                suspend=label("Suspend"),
            ),
            say(
                _(
                    "{lost}: telephone the person first, on a number you know. Then send the link for a new "
                    "passkey."
                ),
                lost=label("Lost every way to sign in"),
            ),
            say(
                _("{hand}: a colleague takes the work over, and the account ends."),
                hand=label("Hand over"),
            ),
        ),
        care(
            _(
                "Nobody changes or attests his or her own account, so have two administrators. Both "
                "sign in with a passkey that stays in one device."
            )
        ),
    ),
    (Page("/people/", label("People")), Page("/audit/", label("Audit"))),
    frozenset({Role.ADMINISTRATOR}),
)

AUDITOR = Topic(
    "auditor",
    _("Auditor"),
    (
        text(
            say(
                _(
                    "{audit} shows who did what for your authority, and when. It holds no subjects and no "
                    "texts."
                ),
                audit=label("Audit"),
            )
        ),
        steps(
            _("Choose what was done, by or about whom, and the days."),
            say(_("Choose {export} for a copy of what is shown."), export=label("Export")),
            _(
                "Keep a copy outside this network every month. Each entry carries the hash of the one "
                "before, so a later record must agree with your copy."
            ),
        ),
        care(
            _(
                "What the record cannot show: whoever runs the server could write all of it anew. Only "
                "a copy that you keep reveals that."
            )
        ),
    ),
    (Page("/audit/", label("Audit")),),
    frozenset({Role.AUDITOR}),
)

SECRETARIAT = Topic(
    "secretariat",
    _("Secretariat"),
    (
        text(_("You open authorities and keep the list of them right. You never read correspondence.")),
        steps(
            say(
                _(
                    "A directory officer opens an authority from the notification of its State: {open}, "
                    "then {propose}."
                ),
                open=label("Open an authority"),
                propose=label("Propose"),
            ),
            say(
                _(
                    "A second directory officer reads the same notification and carries it out under "
                    "{proposals}, within 24 hours."
                ),
                proposals=label("Proposals"),
            ),
            _("The administrator whom the State has named gets the first invitation."),
            _(
                "When the State sends the fingerprint in a note, both type it from the note, each "
                "alone. Neither is shown the digits before."
            ),
        ),
        entries(
            _("Roles of the secretariat too are given by two persons, and never by oneself."),
            _(
                "A security officer suspends an account by its exact mail address: there is no list of "
                "all persons."
            ),
            _("A moderator reads lists and the audit record. The forum is not there yet."),
        ),
    ),
    (
        Page("/states/", label("States")),
        Page("/proposals/", label("Proposals")),
        Page("/people/", label("People")),
    ),
    frozenset({Role.DIRECTORY_OFFICER, Role.MODERATOR, Role.SECURITY_OFFICER}),
)

OTHERS = Topic(
    "other-roles",
    _("Liaison magistrates, prosecutors, judges, observers and others"),
    (
        text(
            _("With these roles you can sign in, read the directory and keep your own account."),
            _(
                "Prosecutors and judges make keys of their own under Devices. They write on one case "
                "where both central authorities have given a mandate, and see nothing else. The forum "
                "and announcements are not there yet."
            ),
            say(
                _(
                    "Whoever also writes for a central authority asks its administrator for the role "
                    "{officer}."
                ),
                officer=label("Officer"),
            ),
        ),
    ),
    (Page("/directory/", label("Directory")), Page("/account/", label("Account"))),
    frozenset(
        {
            Role.LIAISON_MAGISTRATE,
            Role.PRACTITIONER,
            Role.COORDINATOR,
            Role.OBSERVER,
            Role.FOCAL_POINT,
        }
    ),
)
