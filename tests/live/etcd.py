"""etcd of a test: one or several members on loopback, each with its own ports and data."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence

from appliance.cluster.coordination.key_store import Put, StoreFault
from appliance.cluster.coordination.store import EtcdStore
from appliance.storage.cluster_file import EtcdAccess
from tests.certificate_authority import CertificateAuthority
from tests.live.processes import LOOPBACK, Process, Processes, find_program, free_port, freeze, wait_until


class Etcd:
    """A cluster of etcd members."""

    def __init__(
        self,
        processes: Processes,
        members: int = 1,
        options: Sequence[str] = (),
        authority: CertificateAuthority | None = None,
    ) -> None:
        """With an authority, clients have to show a certificate of it."""
        self.program = find_program("etcd", "etcd-server")
        self.control = find_program("etcdctl", "etcd-client")
        self._processes = processes
        self._options = tuple(options)
        self._ports = [(free_port(), free_port()) for _ in range(members)]
        self._authority = authority
        scheme = "https" if authority else "http"
        self.urls = tuple(f"{scheme}://{LOOPBACK}:{client}" for client, _ in self._ports)
        self.access = EtcdAccess(self.urls) if authority is None else self.access_of("root", authority)
        if authority is not None:
            chain, key = authority.issue("etcd", f"IP:{LOOPBACK}")
            files = ["--cert-file", str(chain), "--key-file", str(key), "--trusted-ca-file", str(authority.trust)]
            self._options = (*self._options, "--client-cert-auth", *files)
        self.members: list[Process] = [self._start(number) for number in range(members)]
        self.wait_until_answering()

    def access_of(self, user: str, authority: CertificateAuthority) -> EtcdAccess:
        """That of a user of etcd, who is named by the certificate."""
        chain, key = authority.issue(f"client-{user}", "DNS:client", subject=f"/CN={user}")
        assert self._authority is not None
        return EtcdAccess(self.urls, str(self._authority.trust), str(chain), str(key))

    def ask(self, *words: str) -> None:
        """`etcdctl WORDS`; it has to succeed."""
        access = self.access
        files = ("--cacert", access.ca, "--cert", access.certificate, "--key", access.key) if access.ca else ()
        argv = [self.control, "--endpoints", self.urls[0], *files, *words]
        subprocess.run(argv, check=True, capture_output=True, env={**os.environ, "ETCDCTL_API": "3"})

    def wait_until_answering(self) -> None:
        """Does it take changes?"""
        wait_until(self._answers, "etcd answers", pause_s=0.1)

    def _answers(self) -> bool:
        store = EtcdStore(self.access)
        try:
            return store.commit([], [Put("/ready", b"")])
        except StoreFault:
            return False
        finally:
            store.close()

    # -- its members -----------------------------------------------------------------------------------

    def _start(self, number: int) -> Process:
        client, peer = self._ports[number]
        peers = ",".join(f"m{place}=http://{LOOPBACK}:{each[1]}" for place, each in enumerate(self._ports))
        argv = [
            self.program, "--name", f"m{number}", "--data-dir", str(self._processes.folder / f"etcd-{client}"),
            "--listen-client-urls", self.urls[number], "--advertise-client-urls", self.urls[number],
            "--listen-peer-urls", f"http://{LOOPBACK}:{peer}",
            "--initial-advertise-peer-urls", f"http://{LOOPBACK}:{peer}",
            "--initial-cluster", peers, "--initial-cluster-token", f"t{self._ports[0][0]}",
            "--heartbeat-interval", "100", "--election-timeout", "1000", "--logger", "zap",
            "--grpc-keepalive-min-time", "1s", *self._options,
        ]  # fmt: skip
        return self._processes.start(f"etcd-{number}", argv)

    def kill(self, number: int) -> None:
        self.members[number].popen.kill()
        self.members[number].popen.wait()

    def restart(self, number: int) -> None:
        """Start a member that was killed, with its data."""
        self.members[number] = self._start(number)

    def stop(self, number: int) -> None:
        """Freeze a member."""
        freeze(self.members[number].pid)

    def go_on(self, number: int) -> None:
        os.kill(self.members[number].pid, signal.SIGCONT)

