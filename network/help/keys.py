"""Help with signing in, devices and keys."""

from django.utils.translation import gettext_lazy as _

from network.help.parts import Page, Topic, entries, label, say, steps, text

PASSKEYS = Topic(
    "passkeys",
    _("How do I sign in: passkeys and recovery codes"),
    (
        text(
            _(
                "A passkey is kept in your computer or in a security key. It asks for your PIN, finger "
                "or face, which never leave the device. It works on this site only, so a false page "
                "gets nothing from you."
            )
        ),
        steps(
            say(
                _("Under {account}, add a second passkey. Keep it in another place than the first."),
                account=label("Account"),
            ),
            say(
                _("Choose {make}, print them, and lock them away. Each works once."),
                make=label("Make ten recovery codes"),
            ),
            say(
                _("Passkey lost? On the sign-in page choose {use}, then add a new passkey at once."),
                use=label("Use a recovery code"),
            ),
            _("Nothing left? Your administrator can send you a new link. He or she telephones you first."),
        ),
        text(
            _(
                "Supervisors, administrators and the secretariat need a passkey that stays in one "
                "device. Before a dangerous act everybody is asked again."
            )
        ),
    ),
    (Page("/account/", label("Account")),),
)

NEW_DEVICE = Topic(
    "new-device",
    _("How do I use another computer, or replace a lost one?"),
    (
        steps(
            _("Sign in on the new computer. Nobody else may use the same browser profile."),
            say(
                _("Open {devices} and choose {ask}."),
                devices=label("Devices"),
                ask=label("Make device keys and ask"),
            ),
            _(
                "Read the code to a colleague who approves devices, by telephone or in person. Never "
                "send it by mail."
            ),
            _("Leave the page open: it goes on by itself. You then read everything your authority has."),
            heading=_("A new computer"),
        ),
        steps(
            _("Telephone your administrator at once. He or she suspends your account in a minute."),
            say(
                _(
                    "On another computer open {account}: end what you do not know, and remove the lost "
                    "passkey."
                ),
                account=label("Account"),
            ),
            _("Then ask with a new computer, as above."),
            heading=_("Lost or stolen"),
        ),
        text(
            say(
                _(
                    "A colleague who approves devices opens {devices}, chooses {change} beside the lost one, "
                    "and removes it. It reads nothing that is sealed from then on; partners see it."
                ),
                devices=label("Devices"),
                change=label("Change …"),
            )
        ),
        text(
            say(
                _("Before you give a computer away, choose {forget} on it."),
                forget=label("Forget this device …"),
            ),
            say(
                _("On a computer that others use too, tick {shared} when you ask."),
                shared=label("Others use this computer too: delete the keys when I sign out"),
            ),
        ),
    ),
    (Page("/devices/", label("Devices")), Page("/account/", label("Account"))),
)

RECOVERY_KIT = Topic(
    "recovery-kit",
    _("What are a key steward and a recovery kit?"),
    (
        text(
            _(
                "A key steward is a supervisor or administrator whose device approves other devices. "
                "The first one makes the keys of the authority, and its recovery kit."
            ),
            _(
                "The recovery kit is a sheet of paper with 12 groups of characters. It lets your authority "
                "in again when all devices are lost. Whoever has it could read everything that is sealed to "
                "you. It may be printed as three pages, any two of which are needed."
            ),
        ),
        steps(
            _("Make the keys where nobody looks over your shoulder, and print the kit."),
            _("Type two groups back from the paper. The keys are not in force before."),
            _("Put the sheet in a sealed envelope, with the date and your signature across the flap."),
            _("Keep it in a safe of your authority. Not in a computer, not as a photograph."),
            _("Note who may open the safe, and look once a year whether the envelope is whole."),
        ),
        entries(
            say(
                _(
                    "Every device is lost: sign in on a new computer, open {devices}, choose {lost} and "
                    "type the kit. Everything can be read again. A new kit is printed; the old one is worth "
                    "nothing."
                ),
                devices=label("Devices"),
                lost=label("All our devices are lost …"),
            ),
            _(
                "Other authorities see that the kit was used. They write to you again once they have "
                "telephoned you."
            ),
            say(
                _("Once a year choose {drill} on the same page: it says whether the kit opens the keys."),
                drill=label("Try the kit …"),
            ),
            _(
                "Keep two approved devices, of two persons: then you need the kit only after a fire. What "
                "gives power over the keys takes both of them."
            ),
            heading=_("What it is for"),
        ),
    ),
    (Page("/devices/", label("Devices")),),
)

FINGERPRINTS = Topic(
    "fingerprints",
    _("What is a fingerprint, and how do I compare it?"),
    (
        text(
            _(
                "A fingerprint is 60 digits that stand for the keys of an authority. If both sides see "
                "the same digits, nobody stands between you and reads along."
            )
        ),
        steps(
            _(
                "Telephone your counterpart, on a number that you know already. Do not take it from a "
                "message."
            ),
            say(
                _("Your counterpart opens {devices} and reads the digits under {fingerprint}."),
                devices=label("Devices"),
                fingerprint=label("Fingerprint of your authority"),
            ),
            say(
                _("Compare all of them with those beside the authority when you write, or under {parties}."),
                parties=label("Parties"),
            ),
            _("The same? Write. Different? Do not write; tell your supervisor and the secretariat."),
        ),
        text(
            say(
                _(
                    "Nothing is sealed to {seen} or {new} keys. Two directory officers confirm a "
                    "fingerprint from a note of the State; without waiting for them, a supervisor of "
                    "yours opens {compare} beside it, compares and accepts it for your whole authority."
                ),
                seen=label("seen before"),
                new=label("new"),
                compare=label("Compare the fingerprint"),
            ),
            _(
                "If a thread is stopped with an alarm, do not answer in it. Telephone, and compare the "
                "last message."
            ),
        ),
    ),
    (Page("/threads/new/", label("Write to an authority")), Page("/devices/", label("Devices"))),
)
