"""A file by FTP or TFTP, whose data take another way than the question: processes that serve it, or fetch it once."""
import ctypes
import ftplib
import os
import signal
import socket
import struct
import threading

PR_SET_PDEATHSIG = 1
FILE = b"what was asked for"
PATIENCE = 0.4


def serve_tftp(port, say):
    asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asked.bind(("0.0.0.0", port))
    say("listening")
    while True:
        _, client = asked.recvfrom(2048)
        # From a port of its own (RFC 1350 section 4).
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as answer:
            answer.sendto(struct.pack("!HH", 3, 1) + FILE, client)


def fetch_tftp(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(PATIENCE)
        asking.sendto(struct.pack("!H", 1) + b"file\0octet\0", (address, port))
        return asking.recvfrom(2048)[0] == struct.pack("!HH", 3, 1) + FILE


def serve_ftp(port, say):
    listener = socket.create_server(("0.0.0.0", port))
    say("listening")
    while True:
        control, _ = listener.accept()
        # A client whose last word is lost must not keep the next one waiting.
        threading.Thread(target=serve_client, args=(control,), daemon=True).start()


def serve_client(control):
    control.settimeout(2 * PATIENCE)
    try:
        obey(control)
    except OSError:
        pass
    control.close()


def obey(control):
    """One client: the few commands of RFC 959 that ftplib fetches a file with."""
    data, client = None, None
    control.sendall(b"220 \r\n")
    for line in control.makefile("rb"):
        word, _, rest = line.decode().strip().partition(" ")
        if word == "PORT":
            parts = [int(part) for part in rest.split(",")]
            client = (".".join(map(str, parts[:4])), parts[4] * 256 + parts[5])
            reply = "200 "
        elif word == "PASV":
            own = control.getsockname()[0]
            data = socket.create_server((own, 0))
            data.settimeout(PATIENCE)
            number = data.getsockname()[1]
            reply = f"227 ({own.replace('.', ',')},{number >> 8},{number & 255})"
        elif word == "RETR":
            control.sendall(b"150 \r\n")
            with data.accept()[0] if client is None else socket.create_connection(client, PATIENCE) as sock:
                sock.sendall(FILE)
            reply = "226 "
        else:
            reply = {"USER": "331 ", "PASS": "230 ", "TYPE": "200 ", "QUIT": "221 "}.get(word, "502 ")
        control.sendall(f"{reply}\r\n".encode())


def fetch_ftp(address, port, passive):
    ftp = ftplib.FTP()
    ftp.connect(address, port, PATIENCE)
    ftp.set_pasv(passive)
    ftp.login("any", "any")
    parts = []
    ftp.retrbinary("RETR file", parts.append)
    return b"".join(parts) == FILE


def run(command, say):
    """`role`: serve or fetch; `application`: ftp (the server connects to the client), ftp-passive or tftp; `address`, `port`: the server's."""
    application, address, port = command["application"], command["address"], command["port"]
    if command["role"] == "serve":
        return serve_tftp(port, say) if application == "tftp" else serve_ftp(port, say)
    try:
        came = fetch_tftp(address, port) if application == "tftp" else fetch_ftp(address, port, application != "ftp")
    except (OSError, EOFError, ftplib.Error):
        came = False
    return say("fetched" if came else "missed")


def start(command):
    """In a process of its own, which ends with this one; answers with a pipe of what it says, a line for each word."""
    reader, writer = os.pipe()
    if os.fork() > 0:
        os.close(writer)
        return reader
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        run(command, lambda word: os.write(writer, f"{word}\n".encode()))
    finally:
        os._exit(0)
