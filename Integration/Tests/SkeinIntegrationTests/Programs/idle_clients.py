"""Holds many idle connections in a process of its own, since one process has 20,000 descriptors here.

Usage: idle_clients.py PORT. Commands come on standard input, one a line, and each is answered by one line:

  open N    connects N more clients, sends each a PING and awaits its PONG   -> "open TOTAL"
  ping I    sends client I a PING and awaits its PONG                         -> "pong I"
  ended     awaits the end of stream of every client                          -> "ended TOTAL"
  close     closes all                                                        -> "closed TOTAL"
"""

import resource
import socket
import sys

PORT = int(sys.argv[1])
GUARD_SECONDS = 20
BATCH = 250

clients = []


def expect_pong(client):
    client.sendall(b"PING\r\n")
    answer = b""
    while not answer.endswith(b"\r\n"):
        piece = client.recv(64)
        if not piece:
            raise SystemExit("a client was closed after %r" % answer)
        answer += piece
    if answer != b"+PONG\r\n":
        raise SystemExit("a client was answered %r" % answer)


def open_clients(count):
    while count > 0:
        batch = [socket.create_connection(("127.0.0.1", PORT), GUARD_SECONDS) for _ in range(min(count, BATCH))]
        for client in batch:
            expect_pong(client)
        clients.extend(batch)
        count -= len(batch)


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for line in sys.stdin:
        words = line.split()
        if words[0] == "open":
            open_clients(int(words[1]))
            print("open", len(clients), flush=True)
        elif words[0] == "ping":
            expect_pong(clients[int(words[1])])
            print("pong", words[1], flush=True)
        elif words[0] == "ended":
            for client in clients:
                if client.recv(64):
                    raise SystemExit("a client got bytes that it did not ask for")
            print("ended", len(clients), flush=True)
        elif words[0] == "close":
            count = len(clients)
            for client in clients:
                client.close()
            clients.clear()
            print("closed", count, flush=True)


main()
