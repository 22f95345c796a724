"""Every help topic, and which one belongs to which page."""

from collections.abc import Iterable

from network.help.correspondence import HAND_OVER, HOW_FAR, WEAK_LINE
from network.help.keys import FINGERPRINTS, NEW_DEVICE, PASSKEYS, RECOVERY_KIT
from network.help.parts import Topic
from network.help.people import ADMINISTRATOR, AUDITOR, DUTY_OFFICER, OFFICER, OTHERS, SECRETARIAT, SUPERVISOR
from network.help.scripts import SCRIPTS
from network.help.using import DIRECTORY, DIRECTORY_EDITOR, KEYBOARD, NOTIFICATIONS, PROGRAMS, URGENT
from network.models import Role

BY_ROLE = (
    OFFICER,
    SUPERVISOR,
    DUTY_OFFICER,
    ADMINISTRATOR,
    DIRECTORY_EDITOR,
    AUDITOR,
    SECRETARIAT,
    OTHERS,
)
BY_QUESTION = (
    DIRECTORY,
    HOW_FAR,
    URGENT,
    FINGERPRINTS,
    NEW_DEVICE,
    PASSKEYS,
    RECOVERY_KIT,
    SCRIPTS,
    HAND_OVER,
    NOTIFICATIONS,
    WEAK_LINE,
    KEYBOARD,
    PROGRAMS,
)
TOPICS: dict[str, Topic] = {topic.slug: topic for topic in (*BY_ROLE, *BY_QUESTION)}

# Which topic helps on the pages below a path; the longest path counts.
PLACES: dict[str, Topic] = {
    "/account/": PASSKEYS,
    "/account/appearance/": KEYBOARD,
    "/audit/": AUDITOR,
    "/authorities/": SECRETARIAT,
    "/authority/": ADMINISTRATOR,
    "/devices/": NEW_DEVICE,
    "/directory/": DIRECTORY,
    "/directory/own/": DIRECTORY_EDITOR,
    "/invitation/": OFFICER,
    "/notifications/": NOTIFICATIONS,
    "/people/": ADMINISTRATOR,
    "/proposals/": SECRETARIAT,
    "/secretariat/": SECRETARIAT,
    "/sign-in/": PASSKEYS,
    "/states/": SECRETARIAT,
    "/threads/": HOW_FAR,
    "/threads/new/": FINGERPRINTS,
    "/welcome/note/": FINGERPRINTS,
}
# The start page and the guided path help by what somebody is; the first role that fits.
BY_WHO_ASKS = ("/", "/welcome/")


def help_for(path: str, roles: Iterable[Role] = ()) -> Topic | None:
    """Return the topic that helps on a page, for somebody with these roles; None where no one fits best."""
    if path in BY_WHO_ASKS:
        wanted = frozenset(roles)
        return next((topic for topic in BY_ROLE if topic.roles & wanted), None)
    fitting = [place for place in PLACES if path.startswith(place)]
    return PLACES[max(fitting, key=len)] if fitting else None
