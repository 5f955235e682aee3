"""Certificates for the length of a run: an authority, and server contexts right and wrong.

A student's process trusts the authority through SSL_CERT_FILE, so that `ssl.create_default_context()` just
works; a wrong certificate must then be refused by whoever leaves verification on.
"""

from __future__ import annotations

import functools
import shutil
import ssl
import weakref
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dojo import places

if TYPE_CHECKING:
    from types import TracebackType

    import trustme

# What a fake is reached by.
NAMES = ("127.0.0.1", "localhost", "::1")


class Authority:
    """A certificate authority made for the run. Everything is made when it is first asked for.

    Its certificates carry what Python 3.13 insists on (VERIFY_X509_STRICT: key usage and key identifiers,
    RFC 5280).
    """

    def __init__(self) -> None:
        self._folder: weakref.finalize[..., Authority] | None = None

    @functools.cached_property
    def ca_file(self) -> str:
        """The path of the authority's own certificate (PEM): for SSL_CERT_FILE, or `cafile` of a context."""
        folder = places.shown("dojo-ca-")
        self._folder = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        path = Path(folder) / "ca.pem"
        self._ca.cert_pem.write_to_path(str(path))
        return str(path)

    @functools.cached_property
    def good(self) -> ssl.SSLContext:
        """A server context whose certificate is right for 127.0.0.1, localhost and ::1."""
        return _context(self._ca.issue_cert(*NAMES))

    @functools.cached_property
    def wrong_host(self) -> ssl.SSLContext:
        """A server context whose certificate is for another host, elsewhere.example."""
        return _context(self._ca.issue_cert("elsewhere.example"))

    @functools.cached_property
    def expired(self) -> ssl.SSLContext:
        """A server context whose certificate was right until the end of 2020."""
        start, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 12, 31, tzinfo=UTC)
        return _context(self._ca.issue_cert(*NAMES, not_before=start, not_after=end))

    @functools.cached_property
    def unknown_ca(self) -> ssl.SSLContext:
        """A server context whose certificate was issued by an authority that nobody trusts."""
        return _context(_authority().issue_cert(*NAMES))

    def close(self) -> None:
        """Remove the file.

        May be called twice; it happens by itself when the authority is forgotten or Python ends.
        """
        if self._folder:
            self._folder()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @functools.cached_property
    def _ca(self) -> trustme.CA:
        return _authority()


def _authority() -> trustme.CA:
    import trustme  # costs some 60 ms, which a kata without TLS need not pay

    return trustme.CA()


def _context(leaf: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context
