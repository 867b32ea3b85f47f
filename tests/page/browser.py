# SPDX-License-Identifier: BSD-2-Clause
"""A headless Chromium, driven through a pipe by the Chrome DevTools Protocol. It notes what a page asks for and says."""
import base64
import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import time

LIMIT = 60  # seconds for one answer
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-pipe",
           "--host-resolver-rules=MAP * ~NOTFOUND"]


class Browser:
    """One page of it. `requests` are the addresses asked for, by number, `said` what came to the console, with its level."""

    def __init__(self, profile):
        commands, to_browser = os.pipe()
        self.answers, events = os.pipe()

        def place():  # it reads commands from 3 and writes to 4
            from_us, to_us = os.dup(commands), os.dup(events)
            os.dup2(from_us, 3)
            os.dup2(to_us, 4)
            os.closerange(5, 256)

        self.process = subprocess.Popen(["chromium", *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env=os.environ | {"HOME": profile},  # for what it keeps beside its profile
                                        preexec_fn=place, close_fds=False, start_new_session=True)
        os.close(commands)
        os.close(events)
        self.to_browser, self.rest, self.count = to_browser, b"", 0
        self.requests, self.said, self.session, self.loaded = {}, [], None, False
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def message(self):
        end = time.monotonic() + LIMIT
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.answers], [], [], max(0, end - time.monotonic()))
            data = os.read(self.answers, 1 << 16) if ready else b""
            if not data:
                raise TimeoutError("chromium does not answer")
            self.rest += data
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def note(self, event):
        method, what = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests[what["requestId"]] = what["request"]["url"]
        elif method == "Network.loadingFailed" and what.get("blockedReason") == "csp":
            del self.requests[what["requestId"]]  # it was noted, and not made
        elif method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Log.entryAdded":
            self.said.append((what["entry"]["level"], what["entry"]["text"]))
        elif method == "Runtime.consoleAPICalled":
            self.said.append((what["type"], str(what["args"])))
        elif method == "Runtime.exceptionThrown":
            self.said.append(("exception", what["exceptionDetails"]["text"]))
        elif method == "Page.javascriptDialogOpening":
            self.said.append(("dialog", what["message"]))

    def call(self, method, **params):
        self.count += 1
        command = {"id": self.count, "method": method, "params": params}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.to_browser, json.dumps(command).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") != self.count:
                self.note(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def open(self, path):
        self.loaded = False
        self.call("Page.navigate", url=f"file://{os.path.abspath(path)}")
        while not self.loaded:
            self.note(self.message())

    def value(self, expression, wait=False):
        """What a JavaScript expression comes to, by JSON; with `wait`, what the promise that it is comes to."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=wait)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def key(self, key):
        """A key as a person presses it, wherever the focus is."""
        text = {"Enter": "\r", "Tab": ""}.get(key, key)
        code = {"Enter": 13, "Tab": 9}.get(key, 0)
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text, windowsVirtualKeyCode=code)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def scripts(self, on):
        self.call("Emulation.setScriptExecutionDisabled", value=not on)

    def show(self, scheme="light", width=1200, height=900, scale=1, media=""):
        self.call("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False)
        self.call("Emulation.setScrollbarsHidden", hidden=True)

    def picture(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self):
        with contextlib.suppress(OSError, RuntimeError, TimeoutError):
            self.session = None
            self.call("Browser.close")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.to_browser)
        os.close(self.answers)


@contextlib.contextmanager
def browser():
    with tempfile.TemporaryDirectory(prefix="snifence-page-", ignore_cleanup_errors=True) as profile:
        started = Browser(profile)
        try:
            yield started
        finally:
            started.close()
