"""Kamailio as a proxy and registrar: the next hop, the previous hop, or a stand-in to try a scenario on."""

from __future__ import annotations

from pathlib import Path

from tests.live.processes import Processes, find_program, free_port, wait_until
from tests.live.sipp import open_ports

CONFIG = """
debug=2
log_stderror=yes
fork=yes
children=2
tcp_children=2
disable_tcp=no
auto_aliases=no
listen=udp:{address}:{port}
listen=tcp:{address}:{port}
alias="{domain}"
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "kex.so"
loadmodule "pv.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "auth.so"
modparam("tm", "fr_timer", 2000)
modparam("tm", "fr_inv_timer", {ring_ms})
modparam("usrloc", "db_mode", 0)
modparam("rr", "enable_full_lr", 1)
{more}

request_route {{
    if (!mf_process_maxfwd_header("70")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("CANCEL")) {{
        if (t_check_trans()) {{ t_relay(); }}
        exit;
    }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK")) {{
            if (t_check_trans()) {{ t_relay(); }}
            exit;
        }}
    }}
    t_check_trans();
    if (is_method("REGISTER") && uri == myself) {{
        {challenge}
        save("location");
        exit;
    }}
    loose_route();
    if (is_method("INVITE")) {{ record_route(); }}
    {forward}
    if (uri == myself) {{
        if (is_method("OPTIONS") && !($rU =~ ".")) {{ sl_send_reply("200", "OK"); exit; }}
        if (!lookup("location")) {{ t_newtran(); t_reply("480", "Temporarily Unavailable"); exit; }}
    }}
    t_relay();
}}
"""
CHALLENGE = 'if (!pv_www_authenticate("$td", "{password}", "0")) {{ www_challenge("$td", "1"); exit; }}'

TLS = """
enable_tls=yes
tcp_accept_aliases=yes
listen=tls:{address}:{port}
loadmodule "tls.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "{chain}")
modparam("tls", "private_key", "{key}")
"""


class Kamailio:
    """A Kamailio that is a registrar and proxy of `domain`, or with `next_hop` sends every call there."""

    def __init__(
        self,
        processes: Processes,
        domain: str = "kamailio.test",
        address: str = "127.0.0.2",
        *,
        next_hop: str = "",
        password: str = "",
        ring_ms: int = 30000,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        """`certificate`: chain and key, with which it speaks TLS at `tls_port` and reuses connections (RFC 5923)."""
        self.domain = domain
        self.address = address
        self.port = free_port(address)
        self.tls_port = self.port + 1
        tls = {"address": address, "port": self.tls_port}
        config = processes.folder / f"kamailio-{self.port}.cfg"
        config.write_text(
            CONFIG.format(
                domain=domain,
                address=address,
                port=self.port,
                ring_ms=ring_ms,
                challenge=CHALLENGE.format(password=password) if password else "",
                more=TLS.format(**tls, chain=certificate[0], key=certificate[1]) if certificate else "",
                forward=f'$du = "{next_hop}";' if next_hop else "",
            )
        )
        argv = [find_program("kamailio", "kamailio"), "-f", str(config), "-DD", "-E", "-m", "64", "-M", "8"]
        argv += ["-Y", str(processes.folder), "-P", str(processes.folder / f"kamailio-{self.port}.pid")]
        self.process = processes.start("kamailio", argv)
        wait_until(lambda: self.port in open_ports() or not self.process.is_running, "Kamailio has its port open")
        assert self.process.is_running, self.process.text()
