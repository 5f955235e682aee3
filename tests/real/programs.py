"""Other people's programs that the proofs here need. All of them are in Debian; a student needs none."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

WITHIN = 20.0
"""Seconds in which a program must have done its part."""

ROOM = "/usr/sbin:/sbin"
"""Where Debian keeps servers; not everybody's PATH has it."""

PACKAGES = {
    "/usr/lib/postfix/sbin/master": "postfix",
    "dovecot": "dovecot-core",
    "/usr/lib/dovecot/pop3": "dovecot-pop3d",
    "nginx": "nginx-light",
    "curl": "curl",
    "msmtp": "msmtp",
    "mpop": "mpop",
    "swaks": "swaks",
    "/usr/share/perl5/Authen/SASL.pm": "libauthen-sasl-perl",
    "openssl": "openssl",
}
"""What must be there, as a command or a file, and the package that it comes with."""


def found(name: str) -> str | None:
    """The path of a program, or of a file that is named by its path; None if it is not there."""
    if name.startswith("/"):
        return name if Path(name).exists() else None
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{ROOM}")


def missing() -> str:
    """One sentence that says what to install, or ""."""
    packages = [package for name, package in PACKAGES.items() if found(name) is None]
    if "swaks" not in packages and not any(Path("/usr").glob("lib/*/perl5/*/Net/SSLeay.pm")):
        packages.append("libnet-ssleay-perl")
    if packages:
        wanted = " ".join(packages)
        return f"Not all the programs are here; on Debian, as root: apt-get install --no-install-recommends {wanted}"
    if os.geteuid() != 0:
        return "postfix and dovecot change from root to users of their own, so these proofs need root."
    return ""


def path_of(name: str) -> str:
    """The path of a program. Raises FileNotFoundError with the sentence of `missing` if it is not there."""
    path = found(name)
    if path is None:
        raise FileNotFoundError(missing())
    return path


def run(*command: str, given: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end, with `given` as its input; its output and errors are kept apart.

    Raises subprocess.TimeoutExpired if it has not ended in time. It finds no settings of a user's: HOME is nowhere.
    """
    name, *arguments = command
    path = f"{os.environ.get('PATH', '')}:{ROOM}"
    return subprocess.run(
        [path_of(name), *arguments],
        input=given,
        capture_output=True,
        timeout=WITHIN,
        check=False,
        env={"PATH": path, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", **environment},
    )
