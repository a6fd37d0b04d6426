"""The console under its own content policy: nothing of it is stopped, and what others put into a
page is."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from journeys.browser import Open, sign_in
from journeys.serving import Server

pytestmark = pytest.mark.usefixtures("console")

KEPT = """() => {
  window.stopped = [];
  document.addEventListener("securitypolicyviolation", (event) => {
    window.stopped.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
  });
}"""
PAGES = (
    "/", "/workloads", "/submit", "/queue", "/nodes", "/scheduler", "/account", "/about", "/access",
)  # fmt: skip


def stopped(page: Page) -> list[str]:
    found: Any = page.evaluate("() => window.stopped")
    return list(found)


def test_nothing_of_the_console_needs_more_than_its_policy(server: Server, window: Open) -> None:
    workload = server.submit("under-policy", ["sh", "-c", "printf '\\033[31mred\\033[0m\\n'"])
    server.ended(workload)
    with window(allowed=(r"422 \(Unprocessable",)) as opened:  # the form begins empty
        page = opened.page
        page.add_init_script(f"({KEPT})()")
        sign_in(opened, server)
        node = next(iter(server.client_kept.nodes.list())).name
        details = (f"/workloads/{workload}?as=page", f"/workloads/{workload}?as=page&tab=logs",
                   f"/workloads/{workload}?as=page&tab=spec", f"/nodes/{node}")  # fmt: skip
        for path in (*PAGES, *details):
            page.goto(f"{server.url}{path}")
            expect(page.get_by_role("main").first).to_be_visible()
            expect(page.get_by_role("heading").first).to_be_visible()
            assert stopped(page) == [], path
        page.goto(server.url)
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
        page.keyboard.press("Control+k")
        expect(page.get_by_role("dialog").first).to_be_visible()
        page.keyboard.press("Escape")
        page.goto(f"{server.url}/submit")
        expect(page.get_by_label("Workload in YAML")).to_be_visible()
        editor = page.locator(".cm-editor").first
        expect(editor).to_be_visible()
        look = editor.evaluate("(it) => getComputedStyle(it).display")
        assert look == "flex", "the sheets of the editor stand"
        ground = page.evaluate(
            "() => getComputedStyle(document.documentElement).getPropertyValue('--mantine-scale')"
        )
        assert ground.strip(), "the sheets of the components stand"
        assert stopped(page) == []


def test_what_others_put_into_a_page_does_nothing(server: Server, window: Open) -> None:
    with window(allowed=("Content Security Policy", "evil.example")) as opened:
        page = opened.page
        page.add_init_script(f"({KEPT})()")
        sign_in(opened, server)
        page.evaluate("""() => {
          const put = document.createElement("div");
          put.innerHTML = `<img src="data:," onerror="window.ran = 1">
            <style>#root { display: none }</style>
            <p id="styled" style="position: fixed">x</p>
            <iframe srcdoc="<script>parent.ran = 2</script>"></iframe>
            <form action="https://evil.example/"><button id="send">x</button></form>
            <img src="https://evil.example/x.png"><base href="https://evil.example/">`;
          document.body.append(put);
          const script = document.createElement("script");
          script.textContent = "window.ran = 3";
          document.body.append(script);
          document.getElementById("send").click();
        }""")
        page.wait_for_function("() => window.stopped.length >= 6")
        kinds = {each.split()[0] for each in stopped(page)}
        assert kinds >= {"script-src-attr", "script-src-elem", "style-src-elem", "style-src-attr",
                         "form-action", "img-src"}  # fmt: skip
        assert page.evaluate("() => window.ran") is None
        assert page.evaluate("() => getComputedStyle(document.getElementById('root')).display") != (
            "none"
        )
        assert page.url.startswith(server.url)
