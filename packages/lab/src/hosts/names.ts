import { createHash } from 'node:crypto';

/** The kernel's longest interface name. */
const LONGEST_LINK = 15;
/** The longest path of a unix socket that the kernel takes. */
const LONGEST_SOCKET = 107;

/** Every name of a region starts with its prefix, so what is left over can be found without any state. */
export function checkPrefix(prefix: string): string {
  if (/^[a-z][a-z0-9]{0,7}$/.test(prefix)) return prefix;
  throw new TypeError(`'${prefix}' is no prefix: want at most 8 small letters and digits, a letter first`);
}

export const fabricNamespace = (prefix: string): string => `${prefix}-net`;

export const hostName = (index: number): string => `h${index}`;

export const hostNamespace = (prefix: string, index: number): string => `${prefix}-${hostName(index)}`;

export const vmNamespace = (prefix: string, portId: string): string => `${prefix}-vm-${digest(portId)}`;

/** The host's end of a VM's cable. */
export function vmLink(portId: string): string {
  return `v${digest(portId)}`.slice(0, LONGEST_LINK);
}

/** Tells a VM's cable from the host's other interfaces, and what namespace its other end is in. */
export function vmNamespaceOfLink(prefix: string, link: string): string | undefined {
  return /^v[0-9a-f]{12}$/.test(link) ? `${prefix}-vm-${link.slice(1)}` : undefined;
}

/** Of the first 65,534 addresses of 172.31.0.0/16, the one of this host. */
export function underlayIp(index: number): string {
  if (!Number.isInteger(index) || index < 1 || index > 65_534) {
    throw new RangeError(`host index ${index}: want 1 to 65534`);
  }
  return `172.31.${index >> 8}.${index & 255}`;
}

/** Stays the same over restarts of the switch, so that other hosts' neighbour entries stay right. */
export function underlayMac(index: number): string {
  const [high, low] = [index >> 8, index & 255].map((byte) => byte.toString(16).padStart(2, '0'));
  return `02:1f:ac:1f:${high}:${low}`;
}

/** Where a host keeps its database, sockets and logs. */
export function hostFolder(runDir: string, index: number): string {
  const folder = `${runDir}/${hostName(index)}`;
  const longest = `${folder}/br-phy.snoop.12345`;
  if (Buffer.byteLength(longest) <= LONGEST_SOCKET) return folder;
  throw new RangeError(`${runDir} is too long a path for unix sockets below it`);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
