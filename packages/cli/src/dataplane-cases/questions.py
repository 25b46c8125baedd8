"""Questions that a guest asks of its network, as whole frames, and what the answers say: ARP, neighbour discovery, router
solicitations, DHCPv4 and DHCPv6."""
import socket
import struct

ANY6, ALL_ROUTERS = b"\0" * 16, socket.inet_pton(socket.AF_INET6, "ff02::2")
DHCP_SERVERS = socket.inet_pton(socket.AF_INET6, "ff02::1:2")
COOKIE = bytes((99, 130, 83, 99))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(dst, src, kind, payload):
    return dst + src + struct.pack("!H", kind) + payload


def ipv6(src, dst, protocol, payload, at):
    """With the checksum written at this offset of the payload."""
    pseudo = src + dst + struct.pack("!II", len(payload), protocol) + payload
    payload = payload[:at] + struct.pack("!H", checksum(pseudo) or 0xFFFF) + payload[at + 2 :]
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 255) + src + dst + payload


def link_local(mac):
    return bytes.fromhex("fe80000000000000") + bytes((mac[0] ^ 2, *mac[1:3], 0xFF, 0xFE, *mac[3:6]))


def frame_of(command):
    """`ask`: what; `mac`, `address`: whose question it is; `target`: who or what is asked for; `id`: 12 hexadecimal digits."""
    mac = bytes.fromhex(command["mac"].replace(":", ""))
    return ASK[command["ask"]](command, mac)


def arp(command, mac):
    mine, target = socket.inet_aton(command["address"]), socket.inet_aton(command["target"])
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + mine + b"\0" * 6 + target
    return ethernet(b"\xff" * 6, mac, 0x0806, body)


def neighbour(command, mac):
    mine, target = (socket.inet_pton(socket.AF_INET6, command[name]) for name in ("address", "target"))
    group = bytes.fromhex("ff0200000000000000000001ff") + target[13:]
    message = struct.pack("!BBHI", 135, 0, 0, 0) + target + b"\x01\x01" + mac
    return ethernet(b"\x33\x33" + group[12:], mac, 0x86DD, ipv6(mine, group, 58, message, 2))


def router(command, mac):
    message = struct.pack("!BBHI", 133, 0, 0, 0) + b"\x01\x01" + mac
    return ethernet(b"\x33\x33\0\0\0\x02", mac, 0x86DD, ipv6(link_local(mac), ALL_ROUTERS, 58, message, 2))


def dhcp(command, mac):
    xid = bytes.fromhex(command["id"][:8])
    body = struct.pack("!BBBB", 1, 1, 6, 0) + xid + b"\0\0\x80\0" + b"\0" * 16 + mac + b"\0" * 202 + COOKIE
    body += bytes((53, 1, 1, 55, 6, 1, 3, 6, 26, 121, 51, 255))
    udp = struct.pack("!HHHH", 68, 67, len(body) + 8, 0) + body
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, len(udp) + 20, 0, 0, 64, 17, 0, b"\0" * 4, b"\xff" * 4)
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return ethernet(b"\xff" * 6, mac, 0x0800, header + udp)


def dhcp6(command, mac):
    """A solicitation, or with `target` = `information` a request for options alone."""
    kind = 11 if command.get("target") == "information" else 1
    duid = struct.pack("!HH", 3, 1) + mac
    options = struct.pack("!HH", 1, len(duid)) + duid + struct.pack("!HHH", 8, 2, 0) + struct.pack("!HHH", 6, 2, 23)
    if kind == 1:
        options += struct.pack("!HHIII", 3, 12, 1, 0, 0)
    body = bytes((kind,)) + bytes.fromhex(command["id"][:6]) + options
    udp = struct.pack("!HHHH", 546, 547, len(body) + 8, 0) + body
    return ethernet(b"\x33\x33\0\x01\0\x02", mac, 0x86DD, ipv6(link_local(mac), DHCP_SERVERS, 17, udp, 6))


DNS_SERVER = {4: "169.254.169.254", 6: "fe80::a9fe:a9fe"}
TYPES = {"A": 1, "PTR": 12, "MX": 15, "AAAA": 28}


def dns_query(command):
    """`target`: a name and a type, with a space between."""
    name, kind = command["target"].split(" ")
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split("."))
    return bytes.fromhex(command["id"][:4]) + struct.pack("!HHHHH", 0x100, 1, 0, 0, 0) + labels + struct.pack("!xHH", TYPES[kind], 1)


def dns_answer(message):
    count = struct.unpack_from("!H", message, 6)[0]
    _, at = name_in(message, 12)
    at += 4
    told = []
    for _ in range(count):
        _, at = name_in(message, at)
        kind, length = struct.unpack_from("!H6xH", message, at)
        at += 10
        value = message[at : at + length]
        if kind in (1, 28):
            told.append(socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, value))
        elif kind == 12:
            told.append(name_in(message, at)[0])
        at += length
    return {"rcode": message[3] & 15, "told": sorted(told)}


def name_in(message, at):
    """The name, and where what follows it begins; nobody here compresses names."""
    labels = []
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels), at + 1


ASK = {"arp": arp, "neighbour": neighbour, "router": router, "dhcp": dhcp, "dhcp6": dhcp6}


# --- what the answers say: a dictionary, of which `to` tells what was asked ---


def answer_in(frame):
    kind = frame[12:14]
    if kind == b"\x08\x06" and frame[20:22] == b"\0\x02":
        return {"to": f"arp {socket.inet_ntoa(frame[28:32])}", "mac": frame[22:28].hex(":")}
    if kind == b"\x08\x00" and frame[23] == 17 and frame[34:38] == b"\0\x43\0\x44":
        return dhcp_offer(frame[42:])
    if kind == b"\x86\xdd" and frame[20] == 58 and frame[54] == 136:
        target = socket.inet_ntop(socket.AF_INET6, frame[62:78])
        return {"to": f"neighbour {target}", "mac": frame[80:86].hex(":"), "isRouter": bool(frame[58] & 0x80)}
    if kind == b"\x86\xdd" and frame[20] == 58 and frame[54] == 134:
        return advertisement(frame)
    if kind == b"\x86\xdd" and frame[20] == 17 and frame[54:58] == b"\x02\x23\x02\x22":
        return dhcp6_answer(frame[62:])
    return None


def options_of(data, header):
    size = struct.calcsize(header)
    while len(data) >= size:
        code, length = struct.unpack_from(header, data)
        yield code, data[size : size + length]
        data = data[size + length :]


def dhcp_offer(body):
    options = dict(options_of(body[240:], "!BB"))
    quad = lambda code: [socket.inet_ntoa(options[code][at : at + 4]) for at in range(0, len(options.get(code, b"")), 4)]
    return {
        "to": f"dhcp {body[4:8].hex()}",
        "address": socket.inet_ntoa(body[16:20]),
        "mask": quad(1)[0] if 1 in options else None,
        "routers": quad(3),
        "dns": quad(6),
        "mtu": int.from_bytes(options.get(26, b""), "big"),
        "routes": options.get(121, b"").hex(),
        "name": options.get(12, b"").decode(),
        "domain": options.get(15, b"").decode(),
        "bootfile": options.get(67, b"").decode(),
    }


def advertisement(frame):
    prefixes, mtu = [], None
    data = frame[70:]
    while len(data) >= 8 and data[1]:
        option, data = data[: data[1] * 8], data[data[1] * 8 :]
        if option[0] == 3:
            prefixes.append(f"{socket.inet_ntop(socket.AF_INET6, option[16:32])}/{option[2]}{' auto' if option[3] & 0x40 else ''}")
        elif option[0] == 5:
            mtu = int.from_bytes(option[4:8], "big")
    flags = frame[59]
    return {
        "to": "router", "managed": bool(flags & 0x80), "other": bool(flags & 0x40), "prefixes": sorted(prefixes),
        "mtu": mtu, "mac": frame[6:12].hex(":"), "lifetime": int.from_bytes(frame[60:62], "big"),
    }  # fmt: skip


def dhcp6_answer(body):
    told = {"to": f"dhcp6 {body[1:4].hex()}", "kind": body[0], "address": None, "dns": [], "domain": "", "bootfile": ""}
    for code, value in options_of(body[4:], "!HH"):
        if code == 3:
            for inner, lease in options_of(value[12:], "!HH"):
                if inner == 5:
                    told["address"] = socket.inet_ntop(socket.AF_INET6, lease[:16])
        elif code == 23:
            told["dns"] = [socket.inet_ntop(socket.AF_INET6, value[at : at + 16]) for at in range(0, len(value), 16)]
        elif code == 24:
            told["domain"] = name_in(value, 0)[0]
        elif code == 59:
            told["bootfile"] = value.decode()
    return told
