import type { Random } from '@alcor/runtime';
import { sha256 } from '@noble/hashes/sha2';

/** 256 bits: nothing to guess, so a plain hash keeps it. */
const tokenBytes = 32;
const auditBytes = 16;
/** Nobody's token is longer: longer ones are not even hashed. */
const longestToken = 4096;

/** A new token as its holder gets it. */
export function newToken(random: Random): string {
  return Buffer.from(random.bytes(tokenBytes)).toString('base64url');
}

/** What names a token in records without being of any use as one. */
export function newAuditId(random: Random): string {
  return Buffer.from(random.bytes(auditBytes)).toString('base64url');
}

/** An id in Keystone's form: 32 hexadecimal digits. */
export function newId(random: Random): string {
  return Buffer.from(random.bytes(16)).toString('hex');
}

/** What is kept of a token; undefined for what cannot be one. */
export function tokenHash(token: string): string | undefined {
  if (token === '' || token.length > longestToken) return undefined;
  return Buffer.from(sha256(new TextEncoder().encode(token))).toString('hex');
}
