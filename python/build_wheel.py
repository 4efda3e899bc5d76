"""Builds the wheel of the one file there is (PEP 517), without other packages."""

import base64
import hashlib
import os
import re
import tarfile
import zipfile

_HERE = os.path.dirname(os.path.abspath(__file__))


def _read(name):
    with open(os.path.join(_HERE, name), "rb") as file:
        return file.read()


def _project(key):
    """A text of pyproject.toml; Python reads TOML only since 3.11."""
    return re.search('^%s = "(.*)"$' % key, _read("pyproject.toml").decode(), re.MULTILINE).group(1)


def _metadata():
    return ("Metadata-Version: 2.1\nName: %s\nVersion: %s\nSummary: %s\nRequires-Python: %s\n"
            "Requires-Dist: numpy\n" % (_project("name"), _project("version"),
                                        _project("description"),
                                        _project("requires-python"))).encode()


def _stem():
    return "%s-%s" % (_project("name").replace("-", "_"), _project("version"))


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    info = _stem() + ".dist-info/"
    files = {
        "seqgraph_runtime.py": _read("seqgraph_runtime.py"),
        info + "METADATA": _metadata(),
        info + "WHEEL": b"Wheel-Version: 1.0\nGenerator: build_wheel\nRoot-Is-Purelib: true\n"
                        b"Tag: py3-none-any\n",
    }
    record = ""
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        record += "%s,sha256=%s,%d\n" % (name, digest, len(content))
    files[info + "RECORD"] = (record + info + "RECORD,,\n").encode()
    wheel = _stem() + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, wheel), "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return wheel


def build_sdist(sdist_directory, config_settings=None):
    name = _stem() + ".tar.gz"
    with tarfile.open(os.path.join(sdist_directory, name), "w:gz") as archive:
        for source in ("pyproject.toml", "build_wheel.py", "seqgraph_runtime.py"):
            archive.add(os.path.join(_HERE, source), _stem() + "/" + source)
    return name
