# SPDX-License-Identifier: BSD-2-Clause
"""fetch.py COUNT PARALLEL NAME…: as fetch.go."""
import concurrent.futures
import socket
import ssl
import sys

context = ssl._create_unverified_context()


def fetch(name):
    try:
        with context.wrap_socket(socket.create_connection((name, 443), 30), server_hostname=name) as tls:
            tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return name.encode() in b"".join(iter(lambda: tls.recv(4096), b""))
    except OSError as error:
        print(name, error, file=sys.stderr)
        return False


count, names = int(sys.argv[1]), sys.argv[3:]
with concurrent.futures.ThreadPoolExecutor(int(sys.argv[2])) as workers:
    print(sum(workers.map(fetch, (names[i % len(names)].replace("%", str(i)) for i in range(count)))), "of", count)
