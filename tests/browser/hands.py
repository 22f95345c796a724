"""Two ways to use a page without a mouse and without looking: by keys, and by the tree that is read aloud."""

import re
from collections.abc import Callable
from typing import Any, Protocol

from django.utils.translation import gettext, override
from playwright.sync_api import Error, Page

PATIENCE = 15_000  # milliseconds
TABS_MOST = 120


class Words:
    """The product's words in one language, as its catalogs have them."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, text: str) -> str:
        with override(self.language):
            return gettext(text)


class Hand(Protocol):
    """What a person does, by the name that the page gives to the thing."""

    def press(self, role: str, name: str) -> None:
        """Use a link, button, box or radio."""

    def write(self, role: str, name: str, text: str) -> None:
        """Write into a field."""

    def hears(self, role: str, name: str) -> None:
        """Check that there is such a thing."""

    def misses(self, role: str, name: str) -> None:
        """Check that there is no such thing any more."""


def without_isolates(text: str) -> str:
    """Return a name without the invisible marks that keep directions apart."""
    return re.sub("[\u2066-\u2069]", "", text)


class Tree:
    """Chromium's own accessibility tree, as assistive programs are given it; nothing else of the page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._tools = page.context.new_cdp_session(page)
        self._tools.send("Accessibility.enable")

    def press(self, role: str, name: str) -> None:
        """Do the default action of a node, as a screen reader does."""
        self._on(role, name, lambda node: self._call(node, "function () { this.click() }"))

    def write(self, role: str, name: str, text: str) -> None:
        """Put the focus into a node and type."""
        self._on(
            role,
            name,
            lambda node: self._tools.send("DOM.focus", {"backendNodeId": node["backendDOMNodeId"]}),
        )
        self._page.keyboard.insert_text(text)

    def hears(self, role: str, name: str) -> None:
        """Wait until the tree has such a node."""
        self._find(role, name)

    def misses(self, role: str, name: str) -> None:
        """Wait until the tree has no such node."""
        self._wait(lambda: not self._nodes(role, name), f"there is still a {role} “{name}”")

    def _on(self, role: str, name: str, act: Callable[[dict[str, Any]], object]) -> None:
        """Do something with a node; one that was replaced meanwhile is looked for again."""

        def is_done() -> bool:
            try:
                act(self._find(role, name))
            except Error as error:
                if not re.search("not belong|No node|not find", error.message):
                    raise
                return False
            return True

        self._wait(is_done, f"{role} “{name}” is replaced again and again")

    def _find(self, role: str, name: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = self._nodes(role, name)
            return bool(found)

        self._wait(look, f"no {role} “{name}”", then=self._everything)
        return found[0]

    def _nodes(self, role: str, name: str) -> list[dict[str, Any]]:
        """Return the nodes of a role whose name begins so, in the order of the page."""
        nodes = self._tools.send("Accessibility.getFullAXTree")["nodes"]
        return [
            node
            for node in nodes
            if not node["ignored"]
            and _role_of(node) == role
            and without_isolates(_name_of(node)).startswith(without_isolates(name))
            and not _is_disabled(node)
        ]

    def _everything(self) -> str:
        nodes = self._tools.send("Accessibility.getFullAXTree")["nodes"]
        said = [f"{_role_of(node)} “{_name_of(node)}”" for node in nodes if not node["ignored"]]
        return "; ".join(each for each in said if not each.endswith("“”"))

    def _wait(
        self, condition: Callable[[], bool], problem: str, then: Callable[[], str] = lambda: ""
    ) -> None:
        for _ in range(PATIENCE // 100):
            try:
                if condition():
                    return
            except Error as error:
                # The page was just left for another one.
                if not re.search("context|frame", error.message, re.IGNORECASE):
                    raise
            self._page.wait_for_timeout(100)
        raise AssertionError(f"{problem}\n{then()}")

    def _call(self, node: dict[str, Any], function: str) -> None:
        resolved = self._tools.send("DOM.resolveNode", {"backendNodeId": node["backendDOMNodeId"]})
        self._tools.send(
            "Runtime.callFunctionOn",
            {
                "objectId": resolved["object"]["objectId"],
                "functionDeclaration": function,
                "userGesture": True,
            },
        )


def _role_of(node: dict[str, Any]) -> str:
    return str(node.get("role", {}).get("value", ""))


def _name_of(node: dict[str, Any]) -> str:
    return " ".join(str(node.get("name", {}).get("value", "")).split())


def _is_disabled(node: dict[str, Any]) -> bool:
    properties = {each["name"]: each["value"].get("value") for each in node.get("properties", [])}
    return bool(properties.get("disabled"))


class Keyboard:
    """Keys alone. What has the focus is asked of the accessibility tree too: the eye is not needed either."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._tree = Tree(page)

    def press(self, role: str, name: str) -> None:
        """Go there by Tab, then Enter; Space for boxes and radios."""
        self._reach(role, name)
        self._page.keyboard.press("Space" if role in {"checkbox", "radio"} else "Enter")

    def write(self, role: str, name: str, text: str) -> None:
        """Go there by Tab and type."""
        self._reach(role, name)
        self._page.keyboard.insert_text(text)

    def hears(self, role: str, name: str) -> None:
        """Wait until there is such a thing."""
        self._tree.hears(role, name)

    def misses(self, role: str, name: str) -> None:
        """Wait until there is no such thing."""
        self._tree.misses(role, name)

    def _reach(self, role: str, name: str) -> None:
        self._tree.hears(role, name)
        name, passed = without_isolates(name), []
        for _ in range(TABS_MOST):
            place = self._focused()
            if place[0] == role and place[1].startswith(name):
                return
            passed.append(" ".join(place))
            self._page.keyboard.press("Tab")
        raise AssertionError(f"Tab never comes to {role} “{name}”: {passed}")

    def _focused(self) -> tuple[str, str]:
        """Return role and name of what has the focus."""
        tools = self._tree._tools
        found = tools.send("Runtime.evaluate", {"expression": "document.activeElement"})["result"]
        if found.get("className") in {None, "HTMLBodyElement"}:
            return "", ""
        node = tools.send("Accessibility.getPartialAXTree", {"objectId": found["objectId"]})["nodes"][0]
        return _role_of(node), without_isolates(_name_of(node))
