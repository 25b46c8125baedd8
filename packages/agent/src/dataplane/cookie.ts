/**
 * Cookies: who a flow comes from and what it says, in 64 bits.
 *
 *   63            32 31             0
 *   hash of resource  hash of content      content = table, priority, match, instructions in canonical text
 *
 * So all flows of one resource can be listed with the switch's own tool,
 * `ovs-ofctl dump-flows br-int cookie=0xHHHHHHHH00000000/0xffffffff00000000` (take the value from `resourceCookie`),
 * and after a restart, comparing flows is comparing cookies: the same state gives the same cookies in any process.
 */
import { flowKey, instructionsText, type Flow } from './flow.ts';

export const RESOURCE_MASK = 0xffff_ffff_0000_0000n;

/** The upper half of the cookies of all flows that come from the resource. */
export function resourceCookie(resourceId: string): bigint {
  return BigInt(hash32(resourceId)) << 32n;
}

/** How people and `ovs-ofctl` write a cookie. */
export function cookieText(cookie: bigint): string {
  return `0x${cookie.toString(16).padStart(16, '0')}`;
}

/** `flow` with the cookie that names its resource and its content. */
export function stamped(owner: bigint, flow: Omit<Flow, 'cookie' | 'key'>): Flow {
  const { table, priority, match, instructions } = flow;
  const key = flowKey(flow);
  const content = hash32(instructionsText(instructions), hash32(key));
  return { table, priority, match, instructions, cookie: owner | BigInt(content), key };
}

/** 32-bit MurmurHash3 over UTF-16 code units, from what was hashed before: even bits, no dependency, the same on every machine. */
export function hash32(text: string, seed = 0): number {
  let hash = seed;
  for (let index = 0; index < text.length; index += 1) {
    let unit = Math.imul(text.charCodeAt(index), 0xcc9e2d51);
    unit = Math.imul((unit << 15) | (unit >>> 17), 0x1b873593);
    hash ^= unit;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash = Math.imul(hash ^ text.length ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
