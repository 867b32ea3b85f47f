# SPDX-License-Identifier: BSD-2-Clause
"""Receivers that take a server name from a ClientHello: how each is started, on a port of its own.

A receiver is a class with `program` (what has to be installed), `routes` (it passes a connection on by the name, and
the site behind answers with its own; otherwise it is a TLS server, which shows the site by its certificate, so it does
TLS 1.2 at most) and `start(port, folder)`, which writes its files into the folder and returns the command.
"""
import os

# Each a back end that answers `[NAME]`, and a certificate for `[NAME]`. The first is for all other names, and for none.
SITES = ["default", "client.example.test", "allowed.test", "other.test", "a.test", "b.test", "evil.example"]
FIRST_BACKEND = 9000


def backend(index):
    return f"127.0.0.1:{FIRST_BACKEND + index}"


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="ascii") as out:
        out.write(text)
    return path


HAPROXY = """global
  maxconn 1000
defaults
  mode tcp
  timeout client 5s
  timeout server 5s
  timeout connect 2s
"""


class HaproxyRoutes:
    """req.ssl_sni: its own parser, which leaves record headers in."""

    program, routes = "haproxy", True

    def start(self, port, folder):
        text = HAPROXY + f"frontend in\n  bind 127.0.0.1:{port}\n  tcp-request inspect-delay 1s\n"
        text += "  tcp-request content accept if { req.ssl_hello_type 1 }\n"
        for i, site in enumerate(SITES[1:], 1):
            text += f"  use_backend b{i} if {{ req.ssl_sni -i {site} }}\n"
        text += "  default_backend b0\n"
        for i in range(len(SITES)):
            text += f"backend b{i}\n  server s {backend(i)}\n"
        return ["haproxy", "-db", "-f", write(folder, "haproxy-routes.cfg", text)]


class HaproxyTls:
    """The TLS front end, by OpenSSL."""

    program, routes = "haproxy", False

    def start(self, port, folder):
        lines = [f"{folder}/{site}.pem" + (f" {site}" if i else "") for i, site in enumerate(SITES)]
        sites = write(folder, "haproxy.list", "\n".join(lines) + "\n")
        text = HAPROXY + (
            "frontend in\n  mode http\n  timeout http-request 2s\n"
            f"  bind 127.0.0.1:{port} ssl crt-list {sites} ssl-max-ver TLSv1.2\n  http-request return status 200\n"
        )
        return ["haproxy", "-db", "-f", write(folder, "haproxy-tls.cfg", text)]


NGINX_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


class NginxRoutes:
    """ssl_preread: its own parser."""

    program, routes = "nginx", True
    needs = NGINX_MODULE

    def start(self, port, folder):
        names = "".join(f"    {site} {backend(i)};\n" for i, site in enumerate(SITES[1:], 1))
        text = (
            f"load_module {NGINX_MODULE};\ndaemon off;\nmaster_process off;\npid {folder}/nginx-routes.pid;\n"
            "error_log stderr emerg;\nevents { worker_connections 1000; }\nstream {\n"
            f"  map $ssl_preread_server_name $site {{\n    default {backend(0)};\n{names}  }}\n"
            f"  server {{ listen 127.0.0.1:{port}; ssl_preread on; preread_timeout 1s; proxy_pass $site; }}\n}}\n"
        )
        return ["nginx", "-e", "stderr", "-c", write(folder, "nginx-routes.conf", text)]


class NginxTls:
    """The HTTP server's virtual hosts."""

    program, routes = "nginx", False

    def start(self, port, folder):
        servers = ""
        for i, site in enumerate(SITES):
            servers += (
                f"  server {{ listen 127.0.0.1:{port} ssl{'' if i else ' default_server'}; server_name {site};\n"
                f"    ssl_certificate {folder}/{site}.pem; ssl_certificate_key {folder}/{site}.pem; }}\n"
            )
        text = (
            f"daemon off;\nmaster_process off;\npid {folder}/nginx-tls.pid;\nerror_log stderr emerg;\n"
            "events { worker_connections 1000; }\nhttp {\n  access_log off;\n  client_header_timeout 2s;\n"
            "  ssl_protocols TLSv1 TLSv1.1 TLSv1.2;\n" + servers + "}\n"
        )
        return ["nginx", "-e", "stderr", "-c", write(folder, "nginx-tls.conf", text)]


class Sniproxy:
    """Its own parser, of the first record."""

    program, routes = "sniproxy", True

    def start(self, port, folder):
        names = "".join(f"  ^{site.replace('.', '[.]')}$ {backend(i)}\n" for i, site in enumerate(SITES[1:], 1))
        text = (
            f"user nobody\npidfile {folder}/sniproxy.pid\nerror_log {{ filename {folder}/sniproxy.log }}\n"
            f"listen 127.0.0.1:{port} {{\n  proto tls\n  table sites\n  fallback {backend(0)}\n}}\n"
            f"table sites {{\n{names}}}\n"
        )
        return ["sniproxy", "-f", "-c", write(folder, "sniproxy.conf", text)]


class Sslh:
    """Its own parser, derived from sniproxy's."""

    program, routes = "sslh-select", True

    def start(self, port, folder):
        names = "".join(
            f'  {{ name: "tls"; host: "127.0.0.1"; port: "{FIRST_BACKEND + i}"; sni_hostnames: [ "{site}" ]; }},\n'
            for i, site in enumerate(SITES[1:], 1)
        )
        text = (
            f'foreground: true; inetd: false; numeric: true; timeout: 1; on-timeout: "anyprot";\n'
            f'listen: ( {{ host: "127.0.0.1"; port: "{port}"; }} );\nprotocols: (\n{names}'
            f'  {{ name: "anyprot"; host: "127.0.0.1"; port: "{FIRST_BACKEND}"; }} );\n'
        )
        return ["sslh-select", "-f", "-F" + write(folder, "sslh.cfg", text)]


class Nss:
    """NSS's own test server."""

    program, routes = "selfserv", False
    needs = "/usr/bin/pk12util"

    def start(self, port, folder):
        command = ["selfserv", "-d", f"sql:{folder}/nss", "-p", str(port), "-V", "tls1.0:tls1.2", "-n", SITES[0]]
        for site in SITES[1:]:
            command += ["-a", site]
        return command


class Node:
    """Node's own choice among contexts (addContext), with OpenSSL."""

    program, routes = "node", False

    def start(self, port, folder):
        text = (
            "const fs = require('fs'), tls = require('tls');\n"
            f"const pem = site => {{ const text = fs.readFileSync('{folder}/' + site + '.pem'); "
            "return {cert: text, key: text, minVersion: 'TLSv1', maxVersion: 'TLSv1.2', "
            "ciphers: 'ALL:@SECLEVEL=0'}; };\n"
            "process.on('uncaughtException', () => {});\n"
            f"const server = tls.createServer(pem('{SITES[0]}'));\n"
            f"for (const site of {SITES[1:]}) server.addContext(site, pem(site));\n"
            f"server.on('tlsClientError', () => {{}}).listen({port}, '127.0.0.1');\n"
        )
        return ["node", write(folder, "node.js", text)]


class Go:
    """crypto/tls, by GetCertificate; it is built here."""

    program, routes = "go", False

    def start(self, port, folder):
        return ["go", "run", "tests/servers/server.go", str(port), folder] + SITES


RECEIVERS = [HaproxyRoutes, HaproxyTls, NginxRoutes, NginxTls, Sniproxy, Sslh, Nss, Node, Go]
