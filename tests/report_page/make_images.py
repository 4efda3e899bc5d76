"""Makes the pictures of docs/images, of runs on synthetic reviews.

usage: make_images.py CHROMIUM SEQGRAPH FOLDER      writes FOLDER/report.png and FOLDER/terminal.png
"""

import fcntl
import html
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import browser  # noqa: E402

# So large that an epoch takes several times the tenth of a second between two redraws.
_TRAIN = ["seqgraph", "train", "--data=synthetic", "--cell=gru", "--units=64", "--learning_rate=1e-3",
          "--epochs=12"]
_REPORT_SIZE = (1320, 1448)
_ROWS, _COLUMNS = 32, 116
_COLORS = {"32": "#3fb950", "34": "#6cb6ff", "33": "#e3b341", "37": "#8b949e", "36": "#56d4dd",
           "35": "#d2a8ff", "31": "#ff7b72"}
_PAGE = """<!DOCTYPE html><meta charset="utf-8"><style>
body { margin: 0; background: #0d1117; }
pre { margin: 0; padding: 14px 18px; color: #e6edf3; font: 14px/1.2 "DejaVu Sans Mono", monospace;
      width: max-content; }
b { color: #fff; } </style><pre>%s</pre>"""


class Screen:
    """What a terminal shows of the few codes that the program writes."""

    def __init__(self):
        self.lines, self.row, self.column, self.style = [[]], 0, 0, ""

    def write(self, text):
        for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
            if part == "\r":
                self.column = 0
            elif part == "\n":
                self.row, self.column = self.row + 1, 0
                if self.row == len(self.lines):
                    self.lines.append([])
            elif part[0] != "\x1b":
                line = self.lines[self.row]
                line += [(" ", "")] * (self.column + len(part) - len(line))
                line[self.column:self.column + len(part)] = [(c, self.style) for c in part]
                self.column += len(part)
            elif part[-1] == "A":
                self.row = max(0, self.row - int(part[2:-1] or 1))
            elif part[-1] in "KJ":
                del self.lines[self.row][self.column:]
                if part[-1] == "J":
                    del self.lines[self.row + 1:]
            elif part[-1] == "m":
                self.style = part[2:-1]

    def text(self):
        return "\n".join("".join(c for c, _ in line) for line in self.lines)

    def markup(self, rows):
        out = []
        wrapped = [line[at:at + _COLUMNS] for line in self.lines
                   for at in range(0, max(len(line), 1), _COLUMNS)]
        for line in wrapped[-rows:]:
            text = ""
            for character, style in line:
                shown = html.escape(character)
                if style == "1":
                    shown = "<b>%s</b>" % shown
                elif style in _COLORS:
                    shown = '<span style="color:%s">%s</span>' % (_COLORS[style], shown)
                text += shown
            out.append(text)
        return "\n".join(out)


def _watch(command, folder, environment, enough):
    """The screen of a program on a terminal, when it shows `enough`; it is then ended."""
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        os.chdir(folder)
        os.execvpe(command[0], command, environment)
    screen, read = Screen(), b""
    screen.write("$ %s\n" % " ".join(command))
    try:
        while select.select([terminal], [], [], 120)[0]:
            try:
                read += os.read(terminal, 1 << 16)
            except OSError:  # its end, of a terminal
                break
            # What is shown is looked at before each time that it is wiped.
            *shown, rest = re.split(rb"(?=\r(?:\x1b\[\d+A)?\x1b\[J)", read)
            for piece in shown:
                screen.write(piece.decode())
                if re.search(enough, screen.text()):
                    return screen
            read = rest
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
    raise SystemExit("make_images: the terminal never showed %s" % enough)


def main(chromium, seqgraph, folder):
    folder = os.path.abspath(folder)
    with tempfile.TemporaryDirectory() as work:
        os.symlink(os.path.abspath(seqgraph), os.path.join(work, "seqgraph"))
        environment = dict(os.environ, PATH=work + ":" + os.environ["PATH"], TERM="xterm-256color",
                           SEQGRAPH_RUNS="off", LC_ALL="C.UTF-8")
        screen = _watch(_TRAIN, work, environment, r"Epoch (?:8|9|10|11)/12 \S+ (?:[3-9]\d)/100 .* left(?s:.*)best")
        environment.pop("SEQGRAPH_RUNS")
        run = os.path.join(work, "synthetic-gru-64")
        subprocess.run(_TRAIN + ["--run=" + run, "--overwrite"], cwd=work, env=environment, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(["seqgraph", "report", run, "--output=report.html"], cwd=work, env=environment,
                       check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(work, "terminal.html"), "w", encoding="utf-8") as page:
            page.write(_PAGE % screen.markup(_ROWS))
        shown = browser.Browser(chromium)
        try:
            shown.open(os.path.join(work, "report.html"), width=_REPORT_SIZE[0], height=_REPORT_SIZE[1])
            _save(os.path.join(folder, "report.png"), shown.screenshot(*_REPORT_SIZE, 1))
            shown.open(os.path.join(work, "terminal.html"), width=1000, height=700)
            size = shown.run("(r => [Math.ceil(r.width), Math.ceil(r.height)])"
                             "(document.querySelector('pre').getBoundingClientRect())")
            _save(os.path.join(folder, "terminal.png"), shown.screenshot(*size, 1))
        finally:
            shown.close()


def _save(path, picture):
    with open(path, "wb") as file:
        file.write(picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
