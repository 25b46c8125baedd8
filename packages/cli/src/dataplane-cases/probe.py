"""A process in the network namespace of a VM or a host: sends what it is told to, and says what it sees.

Arguments: the device, and `vm`, `outside` (a machine on a physical network), or for a host `vxlan` or `geneve`: how it tunnels. Commands and events are JSON objects, one a line. Python's standard library has
raw and packet sockets, which Node.js has not.

Every probe has an id of 12 hexadecimal digits that travels as q~id~ in the question and as a~id~ in the answer; what opens a TCP
connection has no room for it and is known by its source port, as t<port>.

A host's process looks at the tunnel packets that leave by its device, and listens to nothing.
"""
import errno
import json
import os
import re
import select
import socket
import struct
import sys
import time

import questions
import transfers

DEVICE, ROLE = sys.argv[1], sys.argv[2]
V4, V6 = socket.AF_INET, socket.AF_INET6
QUESTION = re.compile(rb"q~([0-9a-f]{12})~")
BURST = re.compile(rb"b~([0-9a-f]{12})~")
ANSWER = re.compile(rb"a~([0-9a-f]{12})~")
IP_TRANSPARENT, IPV6_TRANSPARENT, IPV6_RECVPKTINFO, IPV6_PKTINFO, IP_PKTINFO = 19, 75, 49, 50, 8
SO_RCVBUFFORCE = 33
ECHO = {V4: (8, 0), V6: (128, 129)}
ERRORS = {V4: (3, 11), V6: (1, 2, 3)}
# Options of sockets, and the value of either that has packets go out whole whatever is known of the way.
MTU_DISCOVER = {V4: (socket.IPPROTO_IP, 10), V6: (socket.IPPROTO_IPV6, 23)}
PROBE = 3
# Its UDP port, and how its header begins: VXLAN's flags (RFC 7348), Geneve's version and the length of its options (RFC 8926).
# Either has eight bytes, and the VNI at the same place.
TUNNELS = {"vxlan": (4789, b"\x08\0\0\0"), "geneve": (6081, b"\0\0\x65\x58")}
GATEWAY_PORT = 14789
SOL_PACKET, PACKET_AUXDATA, VLAN_VALID = 263, 8, 0x10

readers = {}
writers = {}
kept = {}
listening = set()
asking = set()
serving = set()
counts = {}
pid = os.getpid() & 0xFFFF


def say(**event):
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def family_of(command):
    return V4 if command["family"] == 4 else V6


# --- what passes the device ---


def sniff():
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    sock.bind((DEVICE, 0))
    sock.setblocking(False)
    readers[sock] = on_tunnel if ROLE in TUNNELS else on_frame


def is_tagged(beside):
    """Frames under a VLAN tag are others' than the VM's; the kernel takes the tag out and tells of it beside."""
    return any(
        (level, kind) == (SOL_PACKET, PACKET_AUXDATA) and struct.unpack_from("=I", data)[0] & VLAN_VALID
        for level, kind, data in beside
    )


def frames(sock):
    while True:
        try:
            frame, beside, _, address = sock.recvmsg(65535, 64)
            if not is_tagged(beside):
                yield frame, address
        except BlockingIOError:
            return


def on_tunnel(sock):
    for frame, (_, _, kind, _, _) in frames(sock):
        if kind != socket.PACKET_OUTGOING or frame[12:14] != b"\x08\x00" or frame[23] != 17:
            continue
        udp = 14 + (frame[14] & 15) * 4
        port, header = TUNNELS[ROLE]
        if struct.unpack_from("!H", frame, udp + 2)[0] not in (port, GATEWAY_PORT) or frame[udp + 8 : udp + 12] != header:
            continue
        vni = int.from_bytes(frame[udp + 12 : udp + 15], "big")
        for key, facts in questions_in(frame[udp + 16 :]):
            say(event="crossed", key=key, vni=vni, to=socket.inet_ntoa(frame[30:34]), **facts)


def on_frame(sock):
    for frame, (_, _, kind, _, _) in frames(sock):
        if kind == socket.PACKET_OUTGOING:
            for key, _ in questions_in(frame):
                say(event="sent", key=key)
            continue
        # A wire may bring what is for others.
        if ROLE == "outside" and kind == socket.PACKET_OTHERHOST:
            continue
        for key, facts in questions_in(frame):
            say(event="seen", key=key, **facts)
        told = questions.answer_in(frame)
        if told is not None:
            say(event="told", **told)
        complaint = error_in(frame)
        if complaint is not None:
            say(event="error", **complaint)


def packet_of(frame):
    """Family, protocol, hops to live, source, offset of what the IP header carries, code point; None where it is no IP."""
    kind = frame[12:14]
    if kind == b"\x08\x00":
        return V4, frame[23], frame[22], socket.inet_ntoa(frame[26:30]), 14 + (frame[14] & 15) * 4, frame[15] >> 2
    if kind == b"\x86\xdd":
        return V6, frame[20], frame[21], socket.inet_ntop(V6, frame[22:38]), 54, (frame[14] & 15) << 2 | frame[15] >> 6
    return None


def questions_in(frame):
    packet = packet_of(frame)
    if packet is None:
        return
    family, protocol, ttl, source, at, dscp = packet
    facts = {"ttl": ttl, "dscp": dscp, "source": source, "mac": frame[6:12].hex(":"), "dst": frame[0:6].hex(":")}
    if protocol == 6 and frame[at + 13] & 0x12 == 2:
        yield f"t{struct.unpack_from('!H', frame, at)[0]}", facts
    elif protocol in (1, 58) and frame[at] in (*ECHO[family][1:], *ERRORS[family]):
        return
    for found in QUESTION.findall(frame, at):
        yield found.decode(), facts


def error_in(frame):
    packet = packet_of(frame)
    if packet is None:
        return None
    family, protocol, _, source, at, _ = packet
    if protocol not in (1, 58) or frame[at] not in ERRORS[family]:
        return None
    quoted = QUESTION.search(frame, at)
    mtu = int.from_bytes(frame[at + 4 : at + 8], "big")
    return quoted and {"key": quoted[1].decode(), "type": frame[at], "code": frame[at + 1], "source": source, "mtu": mtu}


# --- who is asked ---


def listen(command):
    family, proto, port = family_of(command), command["proto"], command["port"]
    if (family, proto, port) not in listening:
        listening.add((family, proto, port))
        open_listener(family, proto, port)
    say(event="listening", key=f"{command['family']}/{proto}/{port}")


def open_listener(family, proto, port):
    sock = socket.socket(family, socket.SOCK_DGRAM if proto == "udp" else socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == V6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    if proto == "udp":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    sock.bind(("", port))
    sock.setblocking(False)
    if proto == "tcp":
        sock.listen(64)
    readers[sock] = on_datagram if proto == "udp" else on_connection


def join(command):
    """To a multicast group, on the device."""
    index = socket.if_nametoindex(DEVICE)
    family, group = family_of(command), socket.inet_pton(family_of(command), command["address"])
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if family == V4:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + struct.pack("=4si", b"\0" * 4, index))
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + struct.pack("=i", index))
    kept[command["address"]] = sock


def on_datagram(sock):
    while True:
        try:
            data, extra, _, peer = sock.recvmsg(2048, 256)
        except BlockingIOError:
            return
        except OSError:
            continue
        counted = BURST.match(data)
        if counted is not None:
            count(counted[1].decode())
            continue
        found = QUESTION.search(data)
        if found is None:
            continue
        say(event="received", key=found[1].decode(), dscp=mark_in(extra))
        try:
            sock.sendmsg([b"a" + found[0][1:]], as_asked(extra), 0, peer)
        except OSError as error:
            say(event="failed", key=found[1].decode(), error=str(error))


def count(key):
    """Says every tenth."""
    counts[key] = counts.get(key, 0) + 1
    if counts[key] % 10 == 0:
        say(event="counted", key=key, count=counts[key])


def mark_in(extra):
    """The code point, as the kernel says."""
    for level, kind, data in extra:
        if (level, kind) in ((socket.IPPROTO_IP, socket.IP_TOS), (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)):
            return data[0] >> 2
    return None


def as_asked(extra):
    """From the address that was asked; where that is a group's or everybody's, by the one that the machine chooses."""
    for level, kind, data in extra:
        if level == socket.IPPROTO_IP and kind == IP_PKTINFO:
            return [(level, kind, b"\0" * 4 + data[4:8] + b"\0" * 4)]
        if level == socket.IPPROTO_IPV6 and kind == IPV6_PKTINFO and data[0] != 255:
            return [(level, kind, data)]
    return []


def on_connection(sock):
    try:
        connection, peer = sock.accept()
    except OSError:
        return
    connection.setblocking(False)
    readers[connection] = lambda each: answer_stream(each, f"t{peer[1]}")


def answer_stream(sock, key):
    data = stream_data(sock)
    for found in QUESTION.finditer(data or b""):
        say(event="received", key=found[1].decode(), connection=key)
        try:
            sock.send(b"a" + found[0][1:])
        except OSError:
            forget(sock)


def stream_data(sock):
    """None where the other end has gone."""
    try:
        data = sock.recv(65535)
    except BlockingIOError:
        return b""
    except OSError:
        data = b""
    if data:
        return data
    forget(sock)
    return None


def forget(sock):
    readers.pop(sock, None)
    writers.pop(sock, None)
    sock.close()


def on_icmp(sock, family):
    while True:
        try:
            data, _ = sock.recvfrom(2048)
        except BlockingIOError:
            return
        at = (data[0] & 15) * 4 if family == V4 else 0
        found = QUESTION.search(data, at)
        if found is None or data[at] in ERRORS[family]:
            continue
        event = "answered" if data[at] == ECHO[family][1] else "received"
        say(event=event, key=found[1].decode())


# --- who asks ---


def bound(command, sock, port=0):
    """From any source, also one that the machine has not."""
    family = family_of(command)
    level, option = (socket.IPPROTO_IP, IP_TRANSPARENT) if family == V4 else (socket.IPPROTO_IPV6, IPV6_TRANSPARENT)
    sock.setsockopt(level, option, 1)
    if "ttl" in command:
        hops = (socket.IPPROTO_IP, socket.IP_TTL) if family == V4 else (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)
        sock.setsockopt(*hops, command["ttl"])
    if "bytes" in command:
        sock.setsockopt(*MTU_DISCOVER[family], PROBE)
    sock.setblocking(False)
    sock.bind((command.get("source", ""), port))
    return sock


def place(command, port):
    scope = socket.if_nametoindex(DEVICE) if command["address"].startswith("f") and command["address"][1] in "ef" else 0
    return (command["address"], port) if command["family"] == 4 else (command["address"], port, 0, scope)


def towards_many(sock, command):
    """Broadcasts may be sent, and what is for a group goes by the device."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    index = socket.if_nametoindex(DEVICE)
    if command["family"] == 4:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", b"\0" * 4, b"\0" * 4, index))
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)


def send_udp(command):
    sock = bound(command, socket.socket(family_of(command), socket.SOCK_DGRAM), command["from"])
    towards_many(sock, command)
    readers[sock] = answered_datagram
    asking.add(sock)
    sock.sendto(question(command), place(command, command["port"]))


def send_burst(command):
    """As fast as the kernel takes them, where no gap is to be kept."""
    sock = bound(command, socket.socket(family_of(command), socket.SOCK_DGRAM), command["from"])
    sock.setblocking(True)
    payload = (b"b~" + command["id"].encode() + b"~").ljust(command["bytes"], b".")
    begun = time.monotonic()
    for _ in range(command["times"]):
        sock.sendto(payload, place(command, command["port"]))
        if command["gap"] > 0:
            time.sleep(command["gap"] / 1000)
    sock.close()
    say(event="sent", key=command["id"], seconds=time.monotonic() - begun)


def question(command):
    return (b"q~" + command["id"].encode() + b"~").ljust(command.get("bytes", 0), b".")


def answered_datagram(sock):
    try:
        found = ANSWER.search(sock.recv(2048))
    except OSError:
        return
    if found is not None:
        say(event="answered", key=found[1].decode())


def send_tcp(command):
    sock = bound(command, socket.socket(family_of(command), socket.SOCK_STREAM), command["from"])
    status = sock.connect_ex(place(command, command["port"]))
    if status not in (0, errno.EINPROGRESS):
        raise OSError(status, os.strerror(status))
    writers[sock] = lambda each: connected(each, command)
    asking.add(sock)


def connected(sock, command):
    writers.pop(sock, None)
    status = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if status != 0:
        say(event="failed", key=command["id"], error=os.strerror(status))
        return forget(sock)
    if "keep" in command:
        kept[command["keep"]] = sock
    readers[sock] = answered_stream
    sock.send(question(command))


def answered_stream(sock):
    for found in ANSWER.finditer(stream_data(sock) or b""):
        say(event="answered", key=found[1].decode())


def send_on(command):
    if command["on"] not in kept:
        raise OSError(errno.ENOTCONN, f"no connection {command['on']}")
    kept[command["on"]].send(question(command))


def send_icmp(command):
    family = family_of(command)
    sock = bound(command, socket.socket(family, socket.SOCK_RAW, 1 if family == V4 else 58))
    towards_many(sock, command)
    kind, code = command.get("type", ECHO[family][0]), command.get("code", 0)
    message = struct.pack("!BBHHH", kind, code, 0, pid, 1) + question(command)
    if family == V4:
        message = message[:2] + struct.pack("!H", questions.checksum(message)) + message[4:]
    sock.sendto(message, place(command, 0))
    sock.close()


def clear(_command):
    """Lets go of what asked before and has not been kept."""
    for sock in asking - set(kept.values()):
        forget(sock)
    asking.clear()
    counts.clear()


def ask_dns(command):
    """By a socket, so that the kernel takes nothing but what is an answer to it."""
    family = 4 if command["ask"] == "dns" else 6
    sock = socket.socket(V4 if family == 4 else V6, socket.SOCK_DGRAM)
    sock.setblocking(False)
    scope = (0, socket.if_nametoindex(DEVICE)) if family == 6 else ()
    sock.connect((questions.DNS_SERVER[family], 53, *scope))

    def on_answer(each):
        try:
            message = each.recv(4096)
        except OSError:
            return
        said = questions.dns_answer(message)
        say(event="told", to=f"{command['ask']} {command['target']}", **said)

    readers[sock] = on_answer
    asking.add(sock)
    sock.send(questions.dns_query(command))


def send_frame(command):
    if command["ask"] in ("dns", "dns6"):
        return ask_dns(command)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((DEVICE, 0))
        sock.send(questions.frame_of(command))


def transfer(command):
    key = command["key"]
    if key in serving:
        return say(event="listening", key=key)
    pipe = transfers.start(command)
    if command["role"] == "serve":
        serving.add(key)

    def on_word(each):
        words = os.read(each, 256).decode().split()
        for word in words:
            say(event=word, key=key)
        if not words:
            del readers[each]
            os.close(each)
            os.waitpid(-1, os.WNOHANG)

    readers[pipe] = on_word


DO = {
    "listen": listen, "join": join, "udp": send_udp, "tcp": send_tcp, "on": send_on, "icmp": send_icmp, "ask": send_frame, "burst": send_burst,
    "clear": clear, "transfer": transfer,
}  # fmt: skip


def obey(text):
    command = json.loads(text)
    try:
        DO[command["do"]](command)
    except (OSError, BlockingIOError) as error:
        say(event="failed", key=command.get("id", ""), error=f"{command['do']}: {error}")


def main():
    sniff()
    if ROLE not in TUNNELS:
        for family, protocol in ((V4, 1), (V6, 58)):
            sock = socket.socket(family, socket.SOCK_RAW, protocol)
            sock.setblocking(False)
            readers[sock] = lambda each, of=family: on_icmp(each, of)
    say(event="ready")
    rest = b""
    while True:
        ready, writable, _ = select.select([0, *readers], list(writers), [])
        for sock in writable:
            if sock in writers:
                writers[sock](sock)
        for each in ready:
            if each != 0:
                if each in readers:
                    readers[each](each)
                continue
            data = os.read(0, 65536)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                obey(line)


main()
