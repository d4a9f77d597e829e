#!/usr/bin/env python3
"""A report in a real browser: sorts a table by mouse and by keyboard, hides a series by its legend, and fits a phone.

Drives headless Chromium by chromedriver's HTTP interface (w3.org/TR/webdriver), which needs nothing but Python's own
library. Exit code 77, which ctest takes for skipped, where either is absent.
Usage: report_in_a_browser.py STRATA SOURCE_FOLDER
"""
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element's reference, fixed by the standard


class Browser:
    def __init__(self, folder):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True,
                                       env={**os.environ, "HOME": folder})
        self.session = ""
        try:
            self.start(folder)
        except Exception:
            self.close()
            raise

    def start(self, folder):
        self.port = self.port_of_driver()
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 f"--user-data-dir={folder}/profile", "--window-size=1280,900"]
        options = {"binary": shutil.which("chromium"), "args": flags}
        answer = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = f"/session/{answer['sessionId']}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def port_of_driver(self):
        for line in self.driver.stdout:
            if "successfully on port" in line:
                return int(line.rstrip(". \n").rsplit(" ", 1)[1])
        raise RuntimeError("chromedriver ended before it said its port")

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, self.session + path, None if body is None else json.dumps(body),
                           {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())["value"]
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(answer["message"])
        return answer

    def run(self, script, *arguments):
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def click(self, element):
        self.ask("POST", f"/element/{element[ELEMENT]}/click", {})

    def press(self, element, keys):
        self.ask("POST", f"/element/{element[ELEMENT]}/value", {"text": keys})

    def click_at(self, x, y):
        moves = [{"type": "pointerMove", "x": round(x), "y": round(y)}, {"type": "pointerDown", "button": 0},
                 {"type": "pointerUp", "button": 0}]
        self.ask("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": moves}]})

    def close(self):
        try:
            if self.session:
                self.ask("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()


def expect(holds, what):
    if not holds:
        raise AssertionError(what)


def soon(holds):
    """Chart.js answers to a click in the next frame."""
    end = time.time() + 5
    while not holds():
        if time.time() > end:
            return False
        time.sleep(0.02)
    return True


# The first table that is not folded away and has numbers in its second column.
TABLE = """return [...document.querySelectorAll("main table")].find(table =>
    !table.closest("details") && table.tBodies[0].rows.length > 2 && table.rows[0].cells[1].classList.contains("n"))"""
COLUMN = "return [...arguments[0].tBodies[0].rows].map(row => parseFloat(row.cells[1].textContent))"
HEAD = "return arguments[0].tHead.rows[0].cells[1].querySelector('button')"
SORTED = "return [...arguments[0].tHead.rows[0].cells].map(head => head.getAttribute('aria-sort'))"


def sorts(browser):
    table = browser.run(TABLE)
    head = browser.run(HEAD, table)
    before = browser.run(COLUMN, table)
    expect(len(set(before)) > 1, "a table with different numbers to sort")
    browser.click(head)
    expect(browser.run(COLUMN, table) == sorted(before), "a click sorts upwards")
    browser.click(head)
    expect(browser.run(COLUMN, table) == sorted(before, reverse=True), "another click sorts downwards")
    state = browser.run(SORTED, table)
    expect(state[1] == "descending" and state.count("none") == len(state) - 1, f"aria-sort says so: {state}")
    browser.press(head, "\ue007")  # Enter
    expect(browser.run(COLUMN, table) == sorted(before), "the keyboard sorts as well")


def hides_a_series(browser):
    place = browser.run("""
        const canvas = [...document.querySelectorAll("canvas")].find(each => Chart.getChart(each).data.datasets.length > 1);
        canvas.scrollIntoView({ block: "center" });
        const chart = Chart.getChart(canvas), box = chart.legend.legendHitBoxes[0], item = chart.legend.legendItems[0];
        const corner = canvas.getBoundingClientRect();
        return { x: corner.left + box.left + box.width / 2, y: corner.top + box.top + box.height / 2,
                 name: canvas.dataset.chart, series: item.datasetIndex, picture: canvas.toDataURL() }""")
    state = """const chart = Chart.getChart(document.querySelector(`canvas[data-chart="${arguments[0]}"]`));
        return [chart.isDatasetVisible(arguments[1]), chart.canvas.toDataURL()]"""
    expect(browser.run(state, place["name"], place["series"])[0], "the series is there at first")
    shows = lambda: browser.run(state, place["name"], place["series"])
    browser.click_at(place["x"], place["y"])
    expect(soon(lambda: not shows()[0]), "a click on the legend hides its series")
    expect(shows()[1] != place["picture"], "and the drawing shows that")
    browser.click_at(place["x"], place["y"])
    expect(soon(lambda: shows()[0]), "another click brings it back")


def bars_stand_over_their_categories(browser):
    """Where two axes go together no series has a bar in every category."""
    found = browser.run("""
        const found = { bars: 0, wrong: [] }, charts = JSON.parse(document.getElementById("charts").textContent);
        for (const canvas of document.querySelectorAll("canvas")) {
            const drawn = Chart.getChart(canvas), name = canvas.dataset.chart;
            for (const { name: label, points } of charts[name].series.filter(one => one.style === "bar")) {
                const at = drawn.data.datasets.findIndex(data => data.label === label);
                for (const [category, height] of points) {
                    const bar = drawn.getDatasetMeta(at).data[category];
                    const label_at = drawn.scales.x.getPixelForValue(category);
                    found.bars += 1;
                    if (!bar || Math.abs(bar.x - label_at) > 1 || drawn.scales.y.getValueForPixel(bar.y) < 0.99 * height)
                        found.wrong.push(`${name}: ${label}`);
                }
            }
        }
        return found""")
    expect(found["bars"] > 3 and not found["wrong"], f"bars stand over their categories: {found}")


def fits_a_phone(browser):
    # The narrowest window may be wider than a phone: the size that pages see is set as the developer tools do.
    browser.ask("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
        "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}})
    browser.run("for (const details of document.querySelectorAll('details')) details.open = true")
    page = browser.run("return [document.documentElement.scrollWidth, window.innerWidth]")
    expect(page == [390, 390], f"the page is as wide as the phone: {page}")
    inside = browser.run("""return [...document.querySelectorAll("main table")].filter(table =>
        table.offsetWidth > table.parentElement.clientWidth + 1).length""")
    expect(inside > 0, "wide tables scroll in their own box")


def errors_of(browser):
    return [entry["message"] for entry in browser.ask("POST", "/se/log", {"type": "browser"})
            if entry["level"] == "SEVERE"]


def main():
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        print("chromium or chromedriver is not installed (chromium-driver)")
        return 77
    strata, source = sys.argv[1:]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        subprocess.run([strata, "run", f"{source}/scenarios/engram-allocation.yaml", "--engine", "analytic", "--out",
                        f"{folder}/out"], check=True, capture_output=True)
        subprocess.run([strata, "run", f"{source}/scenarios/studies/hbm-stacks.yaml", "--out", f"{folder}/bars"], check=True,
                       capture_output=True)
        with Browser(folder) as browser:
            begin = time.time()
            browser.ask("POST", "/url", {"url": pathlib.Path(folder, "out", "report.html").as_uri()})
            sorts(browser)
            hides_a_series(browser)
            fits_a_phone(browser)
            browser.ask("POST", "/url", {"url": pathlib.Path(folder, "bars", "report.html").as_uri()})
            bars_stand_over_their_categories(browser)
            errors = errors_of(browser)
            expect(not errors, f"no error on the console: {errors}")
            print(f"sorted, hidden, fitted in {time.time() - begin:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
