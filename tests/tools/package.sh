# A Python package in the directory `package`, whose build backend is part of it: nothing needs to be downloaded.
set -euo pipefail
mkdir package
cat > package/pyproject.toml <<'END'
[project]
name = "hello"
version = "1.0"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
END
printf 'def main(): print("hello from the wheel")\n' > package/hello.py
cat > package/backend.py <<'END'
import os
import zipfile

INFO = "hello-1.0.dist-info/"
METADATA = "Metadata-Version: 2.1\nName: hello\nVersion: 1.0\n"


def wheel(directory, module, content):
    name = "hello-1.0-py3-none-any.whl"
    files = {
        module: content,
        INFO + "METADATA": METADATA,
        INFO + "WHEEL": "Wheel-Version: 1.0\nGenerator: backend\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        INFO + "entry_points.txt": "[console_scripts]\nhello = hello:main\n",
    }
    files[INFO + "RECORD"] = "".join(f"{file},,\n" for file in [*files, INFO + "RECORD"])
    with zipfile.ZipFile(os.path.join(directory, name), "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return name


def build_wheel(directory, config_settings=None, metadata_directory=None):
    with open("hello.py") as module:
        return wheel(directory, "hello.py", module.read())


def build_editable(directory, config_settings=None, metadata_directory=None):
    return wheel(directory, "hello.pth", os.getcwd() + "\n")
END
