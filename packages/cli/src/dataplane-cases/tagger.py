"""The part of a guest that speaks VLAN, for kernels that do not: frames of one device go out by another under a tag, and come back without it.

Arguments: the device with the tags, the one without, and the tag.
"""
import select
import socket
import struct
import sys

TRUNK, PLAIN, TAG = sys.argv[1], sys.argv[2], int(sys.argv[3])
SOL_PACKET, PACKET_AUXDATA, VLAN_VALID = 263, 8, 0x10


def opened(device):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    # The kernel takes the tag out of what it shows, and tells of it beside.
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    sock.bind((device, 0))
    return sock


def tag_of(beside):
    for level, kind, data in beside:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tci = struct.unpack_from("=IIIHHH", data)
            return tci & 0xFFF if status & VLAN_VALID else None
    return None


trunk, plain = opened(TRUNK), opened(PLAIN)
print("ready", flush=True)
while True:
    for sock in select.select([trunk, plain], [], [])[0]:
        frame, beside, _, (_, _, kind, _, _) = sock.recvmsg(65535, 64)
        if kind == socket.PACKET_OUTGOING:
            continue
        if sock is plain:
            trunk.send(frame[:12] + struct.pack("!HH", 0x8100, TAG) + frame[12:])
        elif tag_of(beside) == TAG:
            plain.send(frame)
