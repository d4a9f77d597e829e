#!/usr/bin/env python3
"""The real window on a display of its own, driven by keyboard and mouse as a person would: open the demo, move rho,
choose NVMe for the Engram tables, run the sweep, cancel it, go on, compare with a pinned baseline, export, quit.

    workbench_walk.py STRATA_GUI SOURCE_FOLDER OUT_FOLDER

Every step ends with something outside the window that could be wrong: a file, its text, rows in the store of points, the
exit code. Pictures of the screen are left in OUT_FOLDER. Exit code 77 where Xvfb or xdotool is missing.
"""
import os
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

WIDTH, HEIGHT = 1280, 800
PATIENCE_S = 120  # of one condition: a sanitized program on a machine with other work is slow


def wait_for(what, holds, patience=PATIENCE_S):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        value = holds()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {patience} s for {what}")


class Display:
    """An Xvfb on the first display that is free; its screen can be looked at as a PNG."""

    def __init__(self, folder):
        read, write = os.pipe()
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-fbdir", str(folder),
             "-nolisten", "tcp"], pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        self.name = ":" + os.read(read, 16).decode().strip()
        self.screen = Path(folder) / "Xvfb_screen0"

    def save(self, file):
        """The screen lies in a file of the form of xwd: a head of big-endian numbers, colours, then rows of BGRX."""
        data = self.screen.read_bytes()
        head = struct.unpack(">25I", data[:100])
        size, width, height, row_bytes, colours = head[0], head[4], head[5], head[12], head[19]
        start = size + 12 * colours
        rows = bytearray()
        for y in range(height):
            row = data[start + y * row_bytes:start + y * row_bytes + 4 * width]
            pixels = bytearray(3 * width)
            pixels[0::3], pixels[1::3], pixels[2::3] = row[2::4], row[1::4], row[0::4]
            rows += b"\0" + pixels

        def chunk(kind, body):
            return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

        png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0))
        Path(file).write_bytes(png + chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + chunk(b"IEND", b""))

    def close(self):
        self.process.terminate()
        self.process.wait()


class Person:
    """Hands and eyes: keys, text, and windows by their titles. No window manager runs, so it gives the focus itself."""

    def __init__(self, display):
        self.environment = {**os.environ, "DISPLAY": display}

    def xdotool(self, *words):
        done = subprocess.run(["xdotool", *words], env=self.environment, capture_output=True, text=True, timeout=20)
        return done.stdout.split()

    def windows(self, title):
        return self.xdotool("search", "--onlyvisible", "--name", title)

    def go_to(self, title):
        window = wait_for(f"a window '{title}'", lambda: self.windows(title))[-1]
        self.xdotool("windowfocus", "--sync", window)
        return window

    def press(self, *keys):
        for key in keys:
            self.xdotool("key", "--clearmodifiers", key)

    def type(self, text):
        self.xdotool("type", "--delay", "4", text)

    def answer_file_dialog(self, title, path):
        """The name field has the focus when the dialog comes."""
        self.go_to(title)
        self.press("ctrl+a")
        self.type(str(path))

        def closed():  # the first Return may only choose what the field proposes
            self.press("Return")
            time.sleep(0.3)
            return not self.windows(title)

        wait_for(f"'{title}' to close", closed)
        self.go_to("Strata")


def rows_in(store):
    try:
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
            return database.execute("SELECT count(*) FROM point").fetchone()[0]
    except sqlite3.Error:  # not there yet
        return 0


def grows_no_more(count):
    """The last rows of a study that was left are written a moment after the key."""
    before = count()
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        time.sleep(0.5)
        now = count()
        if now == before:
            return now
        before = now
    raise AssertionError("the study went on after it was cancelled")


def walk(gui, source, out, home):
    scenario = home / "demo.yaml"
    demo = (source / "scenarios" / "engram-allocation.yaml").read_text()
    steps = 201  # the demo's 13 would be done before a hand could leave them
    scenario.write_text(re.sub(r"steps: \d+", f"steps: {steps}", demo))
    points = steps * 3 * 2  # tiers, engines
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    screen = home / "screen"
    screen.mkdir()
    display = Display(screen)
    environment = {**{k: v for k, v in os.environ.items() if not k.startswith(("QT_", "XDG_"))},
                   "DISPLAY": display.name, "QT_QPA_PLATFORM": "xcb", "HOME": str(home),
                   "XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_HOME": str(home / "data"),
                   "XDG_RUNTIME_DIR": str(runtime), "LC_ALL": "C.UTF-8"}
    errors = open(out / "stderr.txt", "w+")
    begun = time.monotonic()
    window = subprocess.Popen([gui, "--size", f"{WIDTH}x{HEIGHT}"], env=environment, stderr=errors)
    store = home / "data" / "strata" / "strata-gui" / "points.sqlite"
    person = Person(display.name)

    def step(name):
        time.sleep(0.3)  # what was asked for is painted
        display.save(out / f"{name}.png")
        print(f"{time.monotonic() - begun:5.1f} s  {name}", flush=True)
        assert window.poll() is None, f"the window ended with {window.returncode}"

    try:
        person.go_to("engram-allocation.yaml")  # the demo, without being asked for
        step("1-first-start")
        person.press("ctrl+o")
        person.answer_file_dialog("Open a scenario", scenario)
        person.go_to("demo.yaml")
        step("2-demo")

        person.press("ctrl+b", "ctrl+d", *["Page_Up"] * 6)  # pin; to the first dial, rho; up by a twentieth each
        person.press(*["Tab"] * 7)  # batch, context, HBM, host link, scale-up link, EP, the tables' tier
        person.type("nvme")
        step("3-dials")

        person.press("ctrl+6")
        step("4-compare")
        person.press("ctrl+shift+e")
        person.answer_file_dialog("Save the view", out / "compare.csv")
        numbers = wait_for("the comparison's numbers", lambda: (out / "compare.csv").exists()
                           and (out / "compare.csv").read_text())
        assert "difference [%]" in numbers, numbers[:300]
        changes = [line.split(",")[2] for line in numbers.splitlines() if line.startswith("decode.tokens_per_s_per_accelerator,")]
        assert changes and abs(float(changes[0])) > 0.01, f"rho and tier changed nothing: {changes}"

        person.press("ctrl+Return", "ctrl+s")
        saved = wait_for("the scenario to be saved with its dials",
                         lambda: "tier: nvme" in scenario.read_text() and scenario.read_text())
        rho = float(re.search(r"rho: ([0-9.]+)", saved).group(1))
        assert 0.5 < rho < 0.8, f"rho moved to {rho}: six twentieths up from 0.4 are 0.58"

        person.press("ctrl+3", "F5")
        wait_for("points in the store", lambda: rows_in(store) > 0)
        step("5-sweep-runs")
        person.press("Escape")
        left = grows_no_more(lambda: rows_in(store))
        assert 0 < left < points, f"{left} of {points} points were known when the sweep was cancelled"
        step("6-cancelled")
        person.press("F5")
        wait_for("all points", lambda: rows_in(store) == points, 120)
        step("7-sweep-done")

        report = home / "report"
        report.mkdir()

        def asked_where():  # as soon as the study is shown, the key does something
            if person.windows("Write the report"):
                return True
            person.press("ctrl+e")
            time.sleep(0.5)
            return False

        wait_for("the dialog of the report", asked_where)
        person.answer_file_dialog("Write the report", report)
        wait_for("the report", lambda: (report / "report.html").exists())
        wait_for("its last picture", lambda: list(report.glob("*.png")))
        html = (report / "report.html").read_text()
        assert "engram-allocation" in html and (report / "results.csv").read_text().count("\n") == points + 1
        step("8-exported")

        person.press("ctrl+q")
        wait_for("the end", lambda: window.poll() is not None)
        assert window.returncode == 0, f"exit code {window.returncode}"
        assert not list((home / "data").rglob("unsaved/*.json")), "an orderly end leaves no unsaved changes"
        said = [line for line in Path(errors.name).read_text().splitlines() if line.strip()]
        assert not said, f"it complained: {said[:5]}"
        print(f"{time.monotonic() - begun:5.1f} s  all of it")
    except BaseException:
        display.save(out / "failed.png")
        raise
    finally:
        if window.poll() is None:
            window.send_signal(signal.SIGTERM)
            window.wait()
        display.close()


def main():
    gui, source, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    for program in ("Xvfb", "xdotool"):
        if not shutil.which(program):
            print(f"skipped: {program} is not installed")
            return 77
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*"):
        old.unlink()
    with tempfile.TemporaryDirectory() as home:
        walk(gui, source, out, Path(home))
    return 0


if __name__ == "__main__":
    sys.exit(main())
