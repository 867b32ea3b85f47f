# SPDX-License-Identifier: BSD-2-Clause
"""A network namespace with servers of HTTPS and PostgreSQL for two names, and /run/snifence of its own."""
import http.server
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading

ALLOWED, REFUSED = "allowed.lab.test", "refused.lab.test"


def in_namespace():
    """Starts this again in namespaces of its own, once: the names are in its /etc/hosts."""
    if os.environ.get("PROGRAMS_NAMESPACE"):
        os.makedirs("/run/snifence", exist_ok=True)
        for command in ("ip link set lo up", "ip address add 192.0.2.1/32 dev lo", "mount -t tmpfs lab /run/snifence"):
            subprocess.run(command.split(), check=True)
        return
    os.environ["PROGRAMS_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "private", "--", sys.executable, *sys.argv])


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def bind(folder, path, text):
    write(f"{folder}/{os.path.basename(path)}", text)
    subprocess.run(["mount", "--bind", f"{folder}/{os.path.basename(path)}", path], check=True)


def certificates(folder):
    """A CA and a certificate of it, for both names."""
    write(f"{folder}/extensions", f"subjectAltName=DNS:{ALLOWED},DNS:{REFUSED}\n")
    for command in (
        "req -x509 -newkey rsa:2048 -nodes -subj /CN=lab -keyout ca.key -out ca.pem -days 9",
        "req -newkey rsa:2048 -nodes -subj /CN=lab.test -keyout key.pem -out request.pem",
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -extfile extensions -out cert.pem -days 9",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    # a folder of nothing but what everybody may read
    shutil.copy(f"{folder}/ca.pem", f"{folder}/site/ca.pem")


def tls(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    return context


class Server:
    """What a server has seen: connections on which something was asked, and how often that was."""

    def __init__(self):
        self.connections, self.questions = set(), 0

    def asked_on(self, peer):
        self.connections.add(peer)
        self.questions += 1


def serve(folder):
    seen = Server()

    class Site(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __init__(self, *arguments):
            super().__init__(*arguments, directory=f"{folder}/site")

        def log_message(self, *_):
            seen.asked_on(self.client_address)

    server = http.server.ThreadingHTTPServer(("192.0.2.1", 443), Site, bind_and_activate=False)
    server.allow_reuse_address = True
    server.handle_error = lambda *_: None
    server.server_bind()
    server.server_activate()
    server.socket = tls(folder).wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return seen


def message(kind, *fields):
    body = b"".join(fields)
    return kind + struct.pack("!i", len(body) + 4) + body


def read_message(connection, kind_bytes):
    """The kind of a message, with its end behind it; b"": there is none any more."""
    kind = connection.recv(kind_bytes) if kind_bytes else b"startup"
    left = struct.unpack("!i", connection.recv(4))[0] - 4 if kind else 0
    while left > 0:
        left -= len(connection.recv(left)) or left
    return kind


def serve_postgres(folder):
    """Says yes to the question for TLS, lets everybody in, and gives one answer to all that is asked."""
    server, context, seen = socket.create_server(("192.0.2.1", 5432)), tls(folder), Server()
    ready = message(b"Z", b"I")
    column = b"said\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0)
    answer = (message(b"T", struct.pack("!h", 1), column) + message(b"D", struct.pack("!hi", 1, 7), b"the lab")
              + message(b"C", b"SELECT 1\0") + ready)

    def serve_one(connection, peer):
        try:
            connection.settimeout(60)
            connection.recv(8)
            connection.sendall(b"S")
            connection = context.wrap_socket(connection, server_side=True)
            read_message(connection, 0)
            connection.sendall(message(b"R", bytes(4)) + ready)
            while read_message(connection, 1) == b"Q":
                seen.asked_on(peer)
                connection.sendall(answer)
        except (OSError, struct.error):
            pass
        connection.close()

    def accept():
        while True:
            threading.Thread(target=serve_one, args=server.accept(), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return seen


def begin(folder):
    """Everything, in a folder that is empty. Returns what the servers see: of HTTPS, of PostgreSQL."""
    os.chmod(folder, 0o755)
    os.mkdir(f"{folder}/site")
    bind(folder, "/etc/hosts", f"127.0.0.1 localhost\n192.0.2.1 {ALLOWED} {REFUSED}\n")
    certificates(folder)
    return serve(folder), serve_postgres(folder)
