"""Certificates, right and wrong, as files for servers written by others and as contexts for ours."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import trustme

NAMES = ("127.0.0.1", "localhost", "127.0.0.2", "127.0.0.3", "127.0.0.4")
"""Where our servers listen; dovecot tells its certificates apart by the address."""

LEAVES = ("good", "unknown_ca", "wrong_host", "expired")


class Certificates:
    """An authority and four certificates: a right one, and each way to be wrong. The key stands before its certificate
    in the file, as postfix wants it; dovecot and nginx do not mind."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        start, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 12, 31, tzinfo=UTC)
        leaves = {
            "good": authority.issue_cert(*NAMES),
            "unknown_ca": trustme.CA().issue_cert(*NAMES),
            "wrong_host": authority.issue_cert("elsewhere.example"),
            "expired": authority.issue_cert(*NAMES, not_before=start, not_after=end),
        }
        self._folder = folder
        self.ca_file = str(folder / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        for name, leaf in leaves.items():
            leaf.private_key_and_cert_chain_pem.write_to_path(self.file(name))

    def file(self, leaf: str) -> str:
        """The path of a certificate with its key (PEM)."""
        return str(self._folder / f"{leaf}.pem")

    def context(self, leaf: str) -> ssl.SSLContext:
        """A server context with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file(leaf))
        return context

    def trust(self) -> ssl.SSLContext:
        """A client context that trusts the authority and nobody else."""
        return ssl.create_default_context(cafile=self.ca_file)
