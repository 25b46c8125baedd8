/** An IPv4 address as an unsigned 32-bit number. */
export type Ip4 = number;

/** Reads a dotted quad (no leading zeros: they are octal to some and decimal to others); null if it is none. */
export function parseIp4(text: string): Ip4 | null {
  let value = 0;
  let octet = -1;
  let octets = 0;
  for (let index = 0; index <= text.length; index++) {
    const code = index < text.length ? text.charCodeAt(index) : 46;
    if (code === 46) {
      if (octet < 0 || octets === 4) return null;
      value = value * 256 + octet;
      octets += 1;
      octet = -1;
    } else {
      if (code < 48 || code > 57 || octet === 0) return null;
      octet = (octet < 0 ? 0 : octet * 10) + code - 48;
      if (octet > 255) return null;
    }
  }
  return octets === 4 ? value : null;
}

export function formatIp4(address: Ip4): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}
