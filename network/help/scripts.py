"""Help with what a browser can prove about the scripts it runs, and what it cannot."""

from django.utils.translation import gettext_lazy as _

from network.help.parts import Topic, care, entries, text

SCRIPTS = Topic(
    "scripts",
    _("Can I trust what runs in my browser?"),
    (
        text(
            _(
                "Sealing and opening happen in your browser, by scripts that the server sends. The server "
                "cannot read your correspondence as long as these scripts are the published ones."
            )
        ),
        care(
            _(
                "A browser cannot prove that. Whoever controls the server could send one person another "
                "script, which reads what is open on that computer."
            )
        ),
        entries(
            _("Every script has a fingerprint. The list of them can be read by everybody."),
            _(
                "The list stands in the log of keys. Another list for one person would be another log, "
                "which the devices and the witnesses of other authorities notice."
            ),
            _(
                "A command of the published software compares the scripts that a server sends with the "
                "list, the log and the published ones. Let your technical office run it, from outside "
                "your network and without telling."
            ),
            _("Pages take scripts from this server only, and none that stand in a page."),
            _(
                "Each page names the fingerprints of its scripts. A browser does not run one that was "
                "altered on the way, or in a store between, and none without a fingerprint."
            ),
            heading=_("What stands against it"),
        ),
        text(
            _(
                "A program of your own system that is installed from the published software does not load "
                "scripts, and is not exposed to this."
            )
        ),
    ),
)
