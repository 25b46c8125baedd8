const sixPairs = /^[0-9a-f]{2}([:-]?)(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$/i;

/** Lower case with colons; null if it is no MAC address (six pairs joined by colons, dashes or nothing). */
export function canonicalMac(text: string): string | null {
  if (!sixPairs.test(text)) return null;
  return formatMac(
    Uint8Array.from(text.replaceAll(/[:-]/g, '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
  );
}

export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** One interface can have it: neither a group address (IEEE 802, lowest bit of the first octet) nor all zeros. */
export function isUnicastMac(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0 && mac !== '00:00:00:00:00:00';
}
