"""The acts of the audit record in words. Each app adds its own; a test finds an act without words."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from network.errors import Sentence

# Keep the list alphabetical.
ACTS: dict[str, Sentence] = {
    "attestation:remind": _("A reminder to confirm accounts was sent"),
    "audit:export": _("The audit record was exported"),
    "authority:open": _("An authority was opened"),
    "authority:set": _("The settings of the authority were changed"),
    "delegation:end": _("A delegation was ended"),
    "delegation:grant": _("Somebody was allowed to act for a colleague"),
    "delegation:leave": _("Somebody stopped acting for a colleague"),
    "delegation:use": _("Somebody began to act for a colleague"),
    "demo:load": _("The demonstration was loaded"),
    "directory:change": _("The authority’s entry in the directory was changed"),
    "directory:confirm": _("The authority’s entry in the directory was confirmed"),
    "factor:add": _("A way to sign in was added"),
    "factor:remove": _("A way to sign in was removed"),
    "factor:rename": _("A passkey was given another name"),
    "factor:renew-recovery-codes": _("Recovery codes were made anew"),
    "fingerprint:confirm": _("The fingerprint of an authority was confirmed"),
    "invitation:accept": _("An invitation was accepted"),
    "invitation:send": _("Somebody was invited"),
    "invitation:withdraw": _("An invitation was withdrawn"),
    "mail:give-up": _("A mail could not be delivered and was given up"),
    "membership:attest": _("An account was confirmed for six months"),
    "membership:begin": _("An account was opened"),
    "membership:change": _("The roles or office of an account were changed"),
    "membership:end": _("An account was ended"),
    "membership:hand-over": _("Work was handed over to a colleague"),
    "membership:restore": _("A suspended account was restored"),
    "membership:suspend": _("An account was suspended"),
    "membership:take-over": _("Work was taken over from a colleague"),
    "proposal:carry-out": _("A proposal was carried out by a second person"),
    "proposal:decline": _("A proposal was declined by a second person"),
    "proposal:open": _("Something was proposed to a second person"),
    "proposal:withdraw": _("A proposal was withdrawn"),
    "push:add": _("A browser was chosen to show messages"),
    "push:remove": _("A browser no longer shows messages"),
    "secretariat-role:grant": _("A role of the secretariat was granted"),
    "secretariat:open": _("The secretariat was set up"),
    "sign-in:begin": _("Somebody signed in"),
    "sign-in:end": _("A sign-in was ended"),
    "sign-in:end-others": _("All other sign-ins of a person were ended"),
    "sign-in:fail": _("Somebody tried to sign in with a wrong password or code"),
    "sign-in:prove": _("Somebody proved again who they are"),
}


def add_acts(acts: Mapping[str, Sentence]) -> None:
    """Add an app's acts when it is loaded."""
    ACTS.update(acts)


def in_words(act: str) -> Sentence:
    """Return the sentence of an act; the act itself where a later or earlier release recorded another."""
    return ACTS.get(act, act)
